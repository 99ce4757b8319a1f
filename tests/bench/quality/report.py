# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of the results, and what the project asks of them.

'results' is {track: {clip: {method: {metric: value}}}} throughout.
"""
import metrics
import methods
from methods import BICUBIC, EASU, FSR, FVSR, LANCZOS

HEADINGS = {"psnr": ("PSNR of RGB, dB, higher is better", 2, max),
            "psnr_y": ("PSNR of luma, dB, higher is better", 2, max),
            "ssim": ("SSIM of luma, higher is better", 4, max),
            "temporal": ("Temporal error, levels of 255, lower is better", 3, min)}
GAIN_CLEAN_DB = 1.0
GAIN_CODED_DB = 0.5
MAX_JITTER = 1.1


def means(clips):
    """{method: {metric: mean over clips}}"""
    scores = list(clips.values())
    return {method: {name: sum(score[method][name] for score in scores) / len(scores)
                     for name in metrics.NAMES} for method in methods.ALL}


def shown_methods(results):
    """FSR without its sharpening has a column where it is the better FSR."""
    for clips in results.values():
        mean = means(clips)
        if mean[EASU]["psnr"] > mean[FSR]["psnr"]:
            return list(methods.ALL)
    return [method for method in methods.ALL if method != EASU]


def _row(name, scores, metric, shown):
    _, digits, best_of = HEADINGS[metric]
    texts = {method: f"{scores[method][metric]:.{digits}f}" for method in shown}
    best = f"{best_of(scores[method][metric] for method in shown):.{digits}f}"
    cells = (f"**{text}**" if text == best else text for text in texts.values())
    return f"| {name} | {' | '.join(cells)} |"


def table(clips, metric, shown):
    lines = [f"| clip | {' | '.join(shown)} |", "|---|" + "---:|" * len(shown)]
    lines += [_row(name, scores, metric, shown) for name, scores in sorted(clips.items())]
    lines.append(_row("mean", means(clips), metric, shown))
    return lines


def markdown(results, scale, about, checks):
    shown = shown_methods(results)
    lines = [f"# Quality at {scale}x", "", *about]
    for metric, (heading, _, _) in HEADINGS.items():
        for track, clips in results.items():
            lines += ["", f"## {heading}: {track}", "", *table(clips, metric, shown)]
    lines += ["", "## Checks", "", *("- " + text for text in check_lines(checks))]
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------------------------------------
# Checks: (passed, text) each


def _compare(what, got, sign, want, digits):
    passed = {">": got > want, ">=": got >= want, "<=": got <= want}[sign]
    return passed, f"{what}: {got:.{digits}f} {sign} {want:.{digits}f}"


def _on_every_clip(track, clips, rival, sign):
    """One line for all clips: the one where fvsr is the least ahead."""
    ahead = {name: scores[FVSR]["psnr"] - scores[rival]["psnr"] for name, scores in clips.items()}
    worst = min(ahead, key=ahead.get)
    return _compare(f"{track}: PSNR against {rival} on every clip (closest: {worst})",
                    clips[worst][FVSR]["psnr"], sign, clips[worst][rival]["psnr"], 3)


def _gain(track, mean):
    least = GAIN_CLEAN_DB if track == "clean" else GAIN_CODED_DB
    return _compare(f"{track}: mean PSNR against bicubic + {least}", mean[FVSR]["psnr"], ">=",
                    mean[BICUBIC]["psnr"] + least, 3)


def _checks_of_track(track, clips):
    mean = means(clips)
    rival = max((m for m in methods.ALL if m != FVSR), key=lambda m: mean[m]["ssim"])
    lines = [_gain(track, mean)]
    if track == "clean":
        lines += [_on_every_clip(track, clips, m, ">") for m in (LANCZOS, FSR, EASU)]
    lines.append(_compare(f"{track}: mean SSIM against the best other ({rival})",
                          mean[FVSR]["ssim"], ">", mean[rival]["ssim"], 5))
    lines.append(_compare(f"{track}: mean temporal error against {MAX_JITTER} x bicubic's",
                          mean[FVSR]["temporal"], "<=", MAX_JITTER * mean[BICUBIC]["temporal"], 3))
    return lines


def checks_of(results, scale):
    """The full list is asked at 4x; of smaller scales that nothing gets worse than bicubic."""
    lines = []
    for track, clips in results.items():
        if scale == 4:
            lines += _checks_of_track(track, clips)
        else:
            lines.append(_on_every_clip(track, clips, BICUBIC, ">="))
    return lines


def check_lines(checks):
    return [f"{'PASS' if passed else 'FAIL'} {text}" for passed, text in checks]
