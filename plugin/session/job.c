/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Creating, owning and comparing jobs: see job.h.
 */
#include "session/job.h"

#include <stdlib.h>
#include <string.h>

struct counted_job {
	struct job job; /* first: the same address */
	atomic_int owners;
};

#define OUTPUT_BYTES (256u << 20) /* that a queue of many frames may take */
#define MOVING       4            /* frames of the queue that are being written or shown */

static int output_frames(const struct fvsr_settings *set)
{
	const uint64_t bytes = (uint64_t)set->out_width * (uint64_t)set->out_height * 4;
	const uint64_t fit = bytes ? OUTPUT_BYTES / bytes : 0;

	return fit > JOB_OUTPUT_FRAMES_MAX ? JOB_OUTPUT_FRAMES_MAX
	       : fit < JOB_OUTPUT_FRAMES   ? JOB_OUTPUT_FRAMES
					   : (int)fit;
}

int job_held_frames(const struct job *job)
{
	return output_frames(&job->request.settings) - MOVING;
}

struct job *job_create(const struct job_request *request, uint64_t serial,
		       const struct frame_maker *maker)
{
	const struct fvsr_settings *set = &request->settings;
	struct counted_job *counted = calloc(1, sizeof(*counted));

	if (!counted)
		return NULL;
	atomic_init(&counted->owners, 1);
	counted->job.request = *request;
	counted->job.serial = serial;
	job_set_effort(&counted->job, set->sparse_ratio, set->kv_ratio);
	counted->job.in = frame_queue_create(JOB_INPUT_FRAMES, maker, FRAME_TO_ENGINE,
					     set->in_width, set->in_height);
	counted->job.out = frame_queue_create((unsigned)output_frames(set), maker,
					      FRAME_FROM_ENGINE, set->out_width, set->out_height);
	if (!counted->job.in || !counted->job.out) {
		job_unref(&counted->job);
		return NULL;
	}
	return &counted->job;
}

struct job *job_ref(struct job *job)
{
	atomic_fetch_add(&((struct counted_job *)job)->owners, 1);
	return job;
}

void job_unref(struct job *job)
{
	if (!job || atomic_fetch_sub(&((struct counted_job *)job)->owners, 1) > 1)
		return;
	frame_queue_destroy(job->in);
	frame_queue_destroy(job->out);
	free(job);
}

void job_set_effort(struct job *job, double sparse_ratio, int kv_ratio)
{
	atomic_store(&job->sparse_thousandths, (int)(sparse_ratio * 1000.0 + 0.5));
	atomic_store(&job->kv_ratio, kv_ratio);
}

bool job_request_same_model(const struct job_request *a, const struct job_request *b)
{
	return strcmp(a->model, b->model) == 0 && strcmp(a->backend, b->backend) == 0;
}

/*
 * Compares bytes, so that no member can be forgotten. Settings are cleared before they are filled
 * (fvsr_settings_default()) and copied as a whole; were bytes between members ever different, a
 * stream would only be opened anew.
 */
static bool same_settings(const struct fvsr_settings *a, const struct fvsr_settings *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool job_request_same(const struct job_request *a, const struct job_request *b)
{
	return job_request_same_model(a, b) && same_settings(&a->settings, &b->settings);
}
