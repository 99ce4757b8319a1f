/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between YUV and RGB: the matrix and range that a file was made with decide on the way in, and
 * the same ones on the way out, so that a picture that nothing changes keeps its values.
 */
#include "media.h"

#include <stdarg.h>
#include <string.h>

#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>

/* Players take untagged video of more lines than this for BT.709. */
#define SD_MAX_HEIGHT 576

int fvsr_media_fail(struct fvsr_error *err, int averror, const char *format, ...)
{
	char words[AV_ERROR_MAX_STRING_SIZE] = "";
	va_list args;
	size_t used;

	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	if (averror < 0) {
		av_strerror(averror, words, sizeof(words));
		used = strlen(err->text);
		snprintf(err->text + used, sizeof(err->text) - used, ": %s", words);
	}
	return averror == AVERROR(ENOMEM) ? FVSR_ERR_MEMORY : FVSR_ERR_IO;
}

static bool is_rgb(enum AVPixelFormat format)
{
	const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(format);

	return desc && (desc->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL));
}

bool fvsr_media_has_alpha(enum AVPixelFormat format)
{
	const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(format);

	return desc && ((desc->flags & AV_PIX_FMT_FLAG_ALPHA) || format == AV_PIX_FMT_PAL8);
}

int fvsr_media_depth(enum AVPixelFormat format)
{
	const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(format);

	return desc ? desc->comp[0].depth : 0;
}

enum AVPixelFormat fvsr_media_plain_format(enum AVPixelFormat format, enum AVColorRange *range)
{
	static const struct {
		enum AVPixelFormat full, plain;
	} pairs[] = {
		{AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV420P},
		{AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUV422P},
		{AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUV444P},
		{AV_PIX_FMT_YUVJ440P, AV_PIX_FMT_YUV440P},
		{AV_PIX_FMT_YUVJ411P, AV_PIX_FMT_YUV411P},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (pairs[i].full == format) {
			*range = AVCOL_RANGE_JPEG;
			return pairs[i].plain;
		}
	}
	return format;
}

static bool is_convertible(enum AVColorSpace space)
{
	switch (space) {
	case AVCOL_SPC_RGB:
	case AVCOL_SPC_BT709:
	case AVCOL_SPC_FCC:
	case AVCOL_SPC_BT470BG:
	case AVCOL_SPC_SMPTE170M:
	case AVCOL_SPC_SMPTE240M:
	case AVCOL_SPC_BT2020_NCL:
		return true;
	default:
		return false;
	}
}

int fvsr_media_color_of(const AVFrame *frame, struct fvsr_media_color *color,
			struct fvsr_error *err)
{
	enum AVPixelFormat format = (enum AVPixelFormat)frame->format;
	const char *name;

	*color = (struct fvsr_media_color){.space = frame->colorspace,
					   .range = frame->color_range,
					   .primaries = frame->color_primaries,
					   .transfer = frame->color_trc,
					   .chroma = frame->chroma_location};
	fvsr_media_plain_format(format, &color->range);
	if (is_rgb(format)) {
		color->space = AVCOL_SPC_RGB;
		color->range = AVCOL_RANGE_JPEG;
	} else if (color->space == AVCOL_SPC_UNSPECIFIED || color->space == AVCOL_SPC_RESERVED ||
		   color->space == AVCOL_SPC_RGB) {
		color->space =
			frame->height <= SD_MAX_HEIGHT ? AVCOL_SPC_SMPTE170M : AVCOL_SPC_BT709;
	}
	if (color->range == AVCOL_RANGE_UNSPECIFIED)
		color->range = AVCOL_RANGE_MPEG;
	if (color->transfer == AVCOL_TRC_SMPTE2084 || color->transfer == AVCOL_TRC_ARIB_STD_B67) {
		fvsr_media_fail(err, 0,
				"the video is HDR (%s); the network is made for SDR: convert it "
				"first, for example with FFmpeg's tonemap filter",
				color->transfer == AVCOL_TRC_SMPTE2084 ? "PQ" : "HLG");
		return FVSR_ERR_UNSUPPORTED;
	}
	if (!is_convertible(color->space)) {
		name = av_color_space_name(color->space);
		fvsr_media_fail(err, 0, "colour matrix %s cannot be converted",
				name ? name : "(unknown)");
		return FVSR_ERR_UNSUPPORTED;
	}
	return FVSR_OK;
}

struct fvsr_media_color fvsr_media_color_for(enum AVPixelFormat format,
					     const struct fvsr_media_color *source)
{
	struct fvsr_media_color color = *source;

	if (is_rgb(format)) {
		color.space = AVCOL_SPC_RGB;
		color.range = AVCOL_RANGE_JPEG;
		color.chroma = AVCHROMA_LOC_UNSPECIFIED;
	} else if (source->space == AVCOL_SPC_RGB) {
		color.space = AVCOL_SPC_BT709;
		color.range = AVCOL_RANGE_MPEG;
	}
	fvsr_media_plain_format(format, &color.range);
	return color;
}

/* swscale counts in 1/256 of a luma pixel; -513 is its word for "not said". */
static void chroma_position(enum AVPixelFormat format, enum AVChromaLocation location, int *h,
			    int *v)
{
	const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(format);
	int x = 0, y = 128;

	*h = *v = -513;
	if (!desc || desc->log2_chroma_w != 1 || desc->log2_chroma_h > 1)
		return;
	switch (location) {
	case AVCHROMA_LOC_CENTER:
		x = 128;
		break;
	case AVCHROMA_LOC_TOPLEFT:
		y = 0;
		break;
	case AVCHROMA_LOC_TOP:
		x = 128, y = 0;
		break;
	case AVCHROMA_LOC_BOTTOMLEFT:
		y = 256;
		break;
	case AVCHROMA_LOC_BOTTOM:
		x = 128, y = 256;
		break;
	default: /* left, which is also what untagged video means */
		break;
	}
	*h = x;
	if (desc->log2_chroma_h == 1)
		*v = y;
}

static bool same_color(const struct fvsr_media_color *a, const struct fvsr_media_color *b)
{
	return a->space == b->space && a->range == b->range && a->chroma == b->chroma;
}

static const int *coefficients(enum AVColorSpace space)
{
	return sws_getCoefficients(space == AVCOL_SPC_RGB ? SWS_CS_DEFAULT : (int)space);
}

/* Builds conv->sws for what conv says. */
static int build(struct fvsr_media_converter *conv, struct fvsr_error *err)
{
	bool to_rgba = conv->dst_format == AV_PIX_FMT_RGBA;
	enum AVPixelFormat yuv = to_rgba ? conv->src_format : conv->dst_format;
	int full = conv->color.range == AVCOL_RANGE_JPEG;
	const int *table = coefficients(conv->color.space);
	int h, v, result;

	sws_freeContext(conv->sws);
	conv->sws = sws_alloc_context();
	if (!conv->sws)
		return fvsr_media_fail(err, AVERROR(ENOMEM), "colour conversion");
	chroma_position(yuv, conv->color.chroma, &h, &v);
	av_opt_set_int(conv->sws, "srcw", conv->src_width, 0);
	av_opt_set_int(conv->sws, "srch", conv->src_height, 0);
	av_opt_set_int(conv->sws, "dstw", conv->dst_width, 0);
	av_opt_set_int(conv->sws, "dsth", conv->dst_height, 0);
	av_opt_set_int(conv->sws, "src_format", conv->src_format, 0);
	av_opt_set_int(conv->sws, "dst_format", conv->dst_format, 0);
	av_opt_set_int(conv->sws, "src_range", to_rgba ? full : 1, 0);
	av_opt_set_int(conv->sws, "dst_range", to_rgba ? 1 : full, 0);
	av_opt_set_int(conv->sws, to_rgba ? "src_h_chr_pos" : "dst_h_chr_pos", h, 0);
	av_opt_set_int(conv->sws, to_rgba ? "src_v_chr_pos" : "dst_v_chr_pos", v, 0);
	/* Without these, swscale takes quick ways that are some levels off. */
	av_opt_set_int(conv->sws, "sws_flags",
		       SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP, 0);
	result = sws_init_context(conv->sws, NULL, NULL);
	if (result < 0)
		return fvsr_media_fail(err, result, "pixel format %s cannot be converted",
				       av_get_pix_fmt_name(yuv));
	sws_setColorspaceDetails(conv->sws, table, to_rgba ? full : 1, table, to_rgba ? 1 : full, 0,
				 1 << 16, 1 << 16);
	return FVSR_OK;
}

/* Makes conv->sws fit, building it only when something has changed. */
static int prepare(struct fvsr_media_converter *conv, const struct fvsr_media_converter *want,
		   struct fvsr_error *err)
{
	struct SwsContext *sws = conv->sws;
	int result;

	if (sws && conv->src_width == want->src_width && conv->src_height == want->src_height &&
	    conv->dst_width == want->dst_width && conv->dst_height == want->dst_height &&
	    conv->src_format == want->src_format && conv->dst_format == want->dst_format &&
	    same_color(&conv->color, &want->color))
		return FVSR_OK;
	*conv = *want;
	conv->sws = sws;
	result = build(conv, err);
	if (result < 0)
		fvsr_media_converter_free(conv);
	return result;
}

int fvsr_media_to_rgba(struct fvsr_media_converter *conv, const AVFrame *frame,
		       const struct fvsr_media_color *color, const struct fvsr_picture *rgba,
		       struct fvsr_error *err)
{
	struct fvsr_media_converter want = {.src_width = frame->width,
					    .src_height = frame->height,
					    .dst_width = rgba->width,
					    .dst_height = rgba->height,
					    .dst_format = AV_PIX_FMT_RGBA,
					    .color = *color};
	uint8_t *planes[4] = {rgba->data};
	int strides[4] = {(int)rgba->stride};
	int result;

	want.src_format =
		fvsr_media_plain_format((enum AVPixelFormat)frame->format, &want.color.range);
	result = prepare(conv, &want, err);
	if (result < 0)
		return result;
	result = sws_scale(conv->sws, (const uint8_t *const *)frame->data, frame->linesize, 0,
			   frame->height, planes, strides);
	return result < 0 ? fvsr_media_fail(err, result, "colour conversion") : FVSR_OK;
}

int fvsr_media_from_rgba(struct fvsr_media_converter *conv, const struct fvsr_picture *rgba,
			 AVFrame *frame, const struct fvsr_media_color *color,
			 struct fvsr_error *err)
{
	struct fvsr_media_converter want = {.src_width = rgba->width,
					    .src_height = rgba->height,
					    .dst_width = frame->width,
					    .dst_height = frame->height,
					    .src_format = AV_PIX_FMT_RGBA,
					    .color = *color};
	const uint8_t *planes[4] = {rgba->data};
	int strides[4] = {(int)rgba->stride};
	int result;

	want.dst_format =
		fvsr_media_plain_format((enum AVPixelFormat)frame->format, &want.color.range);
	result = prepare(conv, &want, err);
	if (result < 0)
		return result;
	result = sws_scale(conv->sws, planes, strides, 0, rgba->height, frame->data,
			   frame->linesize);
	return result < 0 ? fvsr_media_fail(err, result, "colour conversion") : FVSR_OK;
}

void fvsr_media_converter_free(struct fvsr_media_converter *conv)
{
	sws_freeContext(conv->sws);
	memset(conv, 0, sizeof(*conv));
}
