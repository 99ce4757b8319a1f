#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The demo clip is what the demo and its documents say: small, 320x180 at 30 frames a second, twelve
# seconds, colours tagged, with a sound that is not silence.
set -euo pipefail
clip=$1

fail() {
	echo "$*"
	exit 1
}
bytes=$(stat -c %s "$clip")
[ "$bytes" -lt 600000 ] || fail "$bytes bytes, wanted less than 600000"
video=$(ffprobe -v error -count_frames -select_streams v -of csv=p=0 -show_entries \
	stream=codec_name,width,height,color_range,color_space,r_frame_rate,nb_read_frames "$clip")
[ "$video" = "h264,320,180,tv,bt709,30/1,360" ] || fail "video is $video"
sound=$(ffprobe -v error -select_streams a -of csv=p=0 \
	-show_entries stream=codec_name,sample_rate,channels "$clip")
[ "$sound" = "aac,48000,2" ] || fail "sound is $sound"
level=$(ffmpeg -nostdin -nostats -i "$clip" -vn -af volumedetect -f null - 2>&1 |
	sed -n 's/.*mean_volume: \(-\?[0-9]*\).*/\1/p')
[ "$level" -gt -40 ] || fail "mean level is $level dB"
echo "$video; $sound; $level dB; $bytes bytes"
