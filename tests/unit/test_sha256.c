/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 against the examples of FIPS 180-4 and their likes, in pieces of every size.
 */
#include <string.h>

#include "check.h"
#include "model/sha256.h"

static const struct {
	const char *text, *sum;
} vectors[] = {
	{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
	 "lmnopqrsmnopqrstnopqrstu",
	 "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
};

static void test_vectors(void)
{
	size_t i, step;

	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		size_t n = strlen(vectors[i].text);

		for (step = 1; step <= n + 1; step++) {
			struct fvsr_sha256 sha;
			char sum[FVSR_SHA256_TEXT];
			size_t at;

			fvsr_sha256_init(&sha);
			for (at = 0; at < n; at += step)
				fvsr_sha256_update(&sha, vectors[i].text + at,
						   n - at < step ? n - at : step);
			fvsr_sha256_final(&sha, sum);
			CHECK(!strcmp(sum, vectors[i].sum));
		}
	}
}

static void test_million(void)
{
	struct fvsr_sha256 sha;
	char sum[FVSR_SHA256_TEXT], block[1000];
	int i;

	memset(block, 'a', sizeof(block));
	fvsr_sha256_init(&sha);
	for (i = 0; i < 1000; i++)
		fvsr_sha256_update(&sha, block, sizeof(block));
	fvsr_sha256_final(&sha, sum);
	CHECK(!strcmp(sum, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
}

int main(void)
{
	test_vectors();
	test_million();
	return check_result();
}
