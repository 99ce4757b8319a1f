/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pickle interpreter: what PyTorch writes is understood, everything else is an error.
 * Programs are written with Python's opcodes; see pickletools for their names.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "craft.h"
#include "model/pickle.h"

#define P        "\x80\x02"
#define REBUILD  "ctorch._utils\n_rebuild_tensor_v2\n"
#define ORDERED  "ccollections\nOrderedDict\n)R"
#define TEXT1(c) "X\x01\x00\x00\x00" c
/* ("storage", FloatStorage, "0", "cpu", 6) as a persistent id */
#define STORAGE(key, n)                                                                            \
	"(X\x07\x00\x00\x00storagectorch\nFloatStorage\n" key "X\x03\x00\x00\x00"                  \
	"cpu" n "tQ"
#define STORE6 STORAGE(TEXT1("0"), "K\x06")
/* A tensor of 2 x 3 from its parts. */
#define TENSOR(storage, offset, shape, strides)                                                    \
	REBUILD "(" storage offset shape strides "\x89" ORDERED "tR"
#define SHAPE23     "K\x02K\x03\x86"
#define STRIDE31    "K\x03K\x01\x86"
#define GOOD        TENSOR(STORE6, "K\x00", SHAPE23, STRIDE31)
#define DICT(items) P "}(" items "u."

struct pickle_case {
	const char *name;
	const char *program;
	size_t size;
	const char *message; /* part of it; NULL: one tensor comes out */
};

#define CASE(name, program, message)                                                               \
	{                                                                                          \
		name, program, sizeof(program) - 1, message                                        \
	}

static const struct pickle_case cases[] = {
	CASE("one tensor", P GOOD ".", NULL),
	CASE("dictionary", DICT(TEXT1("a") GOOD), NULL),
	CASE("OrderedDict with attributes", P ORDERED "(" TEXT1("a") GOOD "u}" TEXT1("m") "}sb.",
	     NULL),
	CASE("SETITEM", P "}" TEXT1("a") GOOD "s.", NULL),
	CASE("memo",
	     P ORDERED "q\x09(" TEXT1("a") "r\x01\x00\x00\x00" REBUILD "q\x02(" STORE6
					   "K\x00" SHAPE23 STRIDE31 "\x89j\x09\x00\x00\x00tRu.",
	     NULL),
	CASE("POP", P "}}0.", "unknown instruction 0x30"),
	CASE("requires_grad and metadata",
	     P REBUILD "(" STORE6 "K\x00" SHAPE23 STRIDE31 "\x88" ORDERED "NtR.", NULL),
	CASE("tensor inside its storage",
	     P TENSOR(STORAGE(TEXT1("0"), "M\x00\x01"), "K\xfa", SHAPE23, STRIDE31) ".", NULL),
	CASE("stride of a dimension of one",
	     P TENSOR(STORE6, "K\x00", "K\x01K\x06\x86", "K\x63K\x01\x86") ".", NULL),
	CASE("LONG1", P TENSOR(STORE6, "\x8a\x00", SHAPE23, STRIDE31) ".", NULL),

	CASE("empty", "", "does not begin with its protocol"),
	CASE("no protocol", "}.", "does not begin with its protocol"),
	CASE("protocol 4", "\x80\x04}.", "not of protocol 2"),
	CASE("no STOP", P "}", "has no end"),
	CASE("nothing left", P ".", "empty stack"),
	CASE("mark left", P "(.", "empty stack"),
	CASE("two values left", P "}}.", "leaves more than one value"),
	CASE("bytes behind STOP", P "}.}", "goes on behind its end"),
	CASE("result is a number", P "K\x01.", "neither a dictionary nor a tensor"),

	CASE("unknown opcode", P "\xff.", "unknown instruction 0xff"),
	CASE("INST", P "(ios\nsystem\n.", "unknown instruction 0x69"),
	CASE("OBJ", P "(o.", "unknown instruction 0x6f"),
	CASE("NEWOBJ", P "}}\x81.", "unknown instruction 0x81"),
	CASE("STACK_GLOBAL", P "}}\x93.", "unknown instruction 0x93"),
	CASE("EXT1", P "\x82\x01.", "unknown instruction 0x82"),
	CASE("DUP", P "}2.", "unknown instruction 0x32"),
	CASE("os.system", P "cos\nsystem\n" TEXT1("a") "\x85R.", "refers to 'os.system'"),
	CASE("builtins.eval", P "c__builtin__\neval\n.", "refers to '__builtin__.eval'"),
	CASE("right name, wrong module", P "cos\nOrderedDict\n.", "refers to 'os.OrderedDict'"),
	CASE("longer name", P "ctorch\nFloatStorageX\n.", "refers to 'torch.FloatStorageX'"),
	CASE("shorter name", P "ctorch\nFloatStorag\n.", "refers to 'torch.FloatStorag'"),
	CASE("other storage type", P "ctorch\nLongStorage\n.", "refers to 'torch.LongStorage'"),
	CASE("line breaks in a global", P "ca\rb\nc\x1b[m\n.", "refers to 'a?b.c?[m'"),
	CASE("global without its end", P "ctorch\nFloat", "in the middle of an instruction"),
	CASE("global without a name", P "ctorch\n", "in the middle of an instruction"),

	CASE("REDUCE of a storage class", P "ctorch\nFloatStorage\n)R.", "calls something"),
	CASE("REDUCE of a dictionary", P "})R.", "calls something"),
	CASE("REDUCE of a tensor", P GOOD ")R.", "calls something"),
	CASE("OrderedDict with arguments", P "ccollections\nOrderedDict\n}\x85R.",
	     "calls something"),
	CASE("REDUCE without a tuple", P "ccollections\nOrderedDict\n}R.", "is no tuple"),
	CASE("REDUCE on one value", P ")R.", "empty stack"),
	CASE("REDUCE across a mark", P "ccollections\nOrderedDict\n()R.", "empty stack"),
	CASE("BUILD of a tensor", P GOOD "}b.", "no dictionary"),
	CASE("BUILD with a number",
	     P "}K\x01"
	       "b.",
	     "attributes that are no dictionary"),

	CASE("TUPLE without a mark", P "}t.", "no mark"),
	CASE("TUPLE1 of nothing", P "\x85.", "empty stack"),
	CASE("TUPLE3 of two", P "NN\x87.", "empty stack"),
	CASE("TUPLE2 across a mark", P "N(N\x86.", "empty stack"),
	CASE("SETITEMS without a mark", P "}u.", "no mark"),
	CASE("SETITEMS without a dictionary", P "(u.", "empty stack"),
	CASE("SETITEMS on a mark", P "((u.", "empty stack"),
	CASE("SETITEMS into a tuple", P ")(" TEXT1("a") GOOD "u.", "no dictionary"),
	CASE("key without a value", P "}(" TEXT1("a") "u.", "key without a value"),
	CASE("SETITEM on an empty stack", P "s.", "empty stack"),
	CASE("SETITEM without a dictionary", P "NNs.", "empty stack"),
	CASE("SETITEM across a mark", P "}(NNs.", "empty stack"),
	CASE("BINPUT of nothing", P "q\x00.", "empty stack"),
	CASE("BINPUT of a mark", P "(q\x00.", "empty stack"),
	CASE("BINPERSID of nothing", P "Q.", "empty stack"),
	CASE("BINPERSID of a number", P "K\x01Q.", "is no tuple"),

	CASE("BINGET of nothing put", P "h\x00.", "memo index"),
	CASE("BINGET between", P "Nq\x02h\x01.", "memo index"),
	CASE("LONG_BINGET far out", P "j\xff\xff\xff\xff.", "memo index"),
	CASE("LONG_BINPUT far out", P "Nr\xff\xff\xff\xff.", "memo index"),
	CASE("LONG_BINPUT at the limit", P "Nr\x00\x00\x02\x00.", "memo index"),

	CASE("text past the end",
	     P "X\x10\x00\x00\x00"
	       "abc.",
	     "in the middle"),
	CASE("text of 4 GB",
	     P "X\xff\xff\xff\xff"
	       "abc.",
	     "in the middle"),
	CASE("text length cut", P "X\x01\x00", "in the middle"),
	CASE("text not UTF-8", P "X\x01\x00\x00\x00\xff.", "not UTF-8"),
	CASE("text with NUL", P "X\x01\x00\x00\x00\x00.", "not UTF-8"),
	CASE("BININT cut", P "J\x01\x00", "in the middle"),
	CASE("LONG1 past the end", P "\x8a\x08\x01.", "in the middle"),
	CASE("LONG1 of 9 bytes", P "\x8a\x09\x01\x01\x01\x01\x01\x01\x01\x01\x01.",
	     "more than 64 bits"),

	CASE("dictionary in itself", P "}q\x00" TEXT1("a") "h\x00s.", "'a': is not a tensor"),
	CASE("dictionary as its own attributes",
	     P "}q\x00h\x00"
	       "bh\x00.",
	     "more than one value"),
	CASE("key is a number", DICT("K\x01" GOOD), "without a name"),
	CASE("key is empty", DICT("X\x00\x00\x00\x00" GOOD), "without a name"),
	CASE("key is the dictionary", P "}q\x00(h\x00" GOOD "u.", "without a name"),
	CASE("same key twice", DICT(TEXT1("a") GOOD TEXT1("a") GOOD), "'a': is there twice"),
	CASE("value is a tuple", DICT(TEXT1("a") ")"), "is not a tensor"),
	CASE("value is a storage", DICT(TEXT1("a") STORE6), "is not a tensor"),

	CASE("no arguments", P REBUILD ")R.", "wrong number of arguments"),
	CASE("eight arguments",
	     P REBUILD "(" STORE6 "K\x00" SHAPE23 STRIDE31 "\x89" ORDERED "NNtR.",
	     "wrong number of arguments"),
	CASE("storage is None", P TENSOR("N", "K\x00", SHAPE23, STRIDE31) ".", "has no storage"),
	CASE("storage of no fields", P TENSOR(")Q", "K\x00", SHAPE23, STRIDE31) ".",
	     "not described"),
	CASE("storage without a class",
	     P TENSOR("(X\x07\x00\x00\x00storageN" TEXT1("0") TEXT1("c") "K\x06tQ", "K\x00",
		      SHAPE23, STRIDE31) ".",
	     "not described"),
	CASE("not a storage",
	     P TENSOR("(X\x07\x00\x00\x00storagXctorch\nFloatStorage\n" TEXT1("0")
			      TEXT1("c") "K\x06tQ",
		      "K\x00", SHAPE23, STRIDE31) ".",
	     "not described"),
	CASE("negative storage size",
	     P TENSOR(STORAGE(TEXT1("0"), "J\xff\xff\xff\xff"), "K\x00", SHAPE23, STRIDE31) ".",
	     "not described"),
	CASE("storage key upwards",
	     P TENSOR(STORAGE("X\x04\x00\x00\x00../0", "K\x06"), "K\x00", SHAPE23, STRIDE31) ".",
	     "is not a number"),
	CASE("storage key empty",
	     P TENSOR(STORAGE("X\x00\x00\x00\x00", "K\x06"), "K\x00", SHAPE23, STRIDE31) ".",
	     "is not a number"),
	CASE("storage key long",
	     P TENSOR(STORAGE("X\x0b\x00\x00\x00"
			      "00000000000",
			      "K\x06"),
		      "K\x00", SHAPE23, STRIDE31) ".",
	     "is not a number"),
	CASE("offset beyond", P TENSOR(STORE6, "K\x01", SHAPE23, STRIDE31) ".",
	     "beyond its storage"),
	CASE("offset far beyond",
	     P TENSOR(STORE6, "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", SHAPE23, STRIDE31) ".",
	     "beyond its storage"),
	CASE("negative offset", P TENSOR(STORE6, "J\xff\xff\xff\xff", SHAPE23, STRIDE31) ".",
	     "offset is negative"),
	CASE("negative LONG1", P TENSOR(STORE6, "\x8a\x01\xff", SHAPE23, STRIDE31) ".",
	     "offset is negative"),
	CASE("offset is None", P TENSOR(STORE6, "N", SHAPE23, STRIDE31) ".",
	     "offset is negative or not"),
	CASE("shape beyond", P TENSOR(STORE6, "K\x00", "K\x02K\x04\x86", "K\x04K\x01\x86") ".",
	     "beyond its storage"),
	CASE("shape is a number", P TENSOR(STORE6, "K\x00", "K\x06", "K\x01") ".", "has no shape"),
	CASE("six dimensions",
	     P TENSOR(STORE6, "K\x00", "(K\x01K\x01K\x01K\x01K\x01K\x06t", "(NNNNNNt") ".",
	     "more than 5 dimensions"),
	CASE("dimension 0", P TENSOR(STORE6, "K\x00", "K\x00K\x03\x86", STRIDE31) ".",
	     "not a positive whole number"),
	CASE("negative dimension",
	     P TENSOR(STORE6, "K\x00", "J\xff\xff\xff\xffK\x03\x86", STRIDE31) ".",
	     "not a positive whole number"),
	CASE("dimension is text", P TENSOR(STORE6, "K\x00", TEXT1("2") "\x85", "K\x01\x85") ".",
	     "not a positive whole number"),
	CASE("product wraps",
	     P TENSOR(STORE6, "K\x00", "\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x40K\x08\x86",
		      STRIDE31) ".",
	     "overflows"),
	CASE("strides missing", P TENSOR(STORE6, "K\x00", SHAPE23, ")") ".",
	     "no strides for its shape"),
	CASE("strides of a transposed tensor",
	     P TENSOR(STORE6, "K\x00", SHAPE23, "K\x01K\x02\x86") ".", "not contiguous"),
	CASE("stride 0", P TENSOR(STORE6, "K\x00", SHAPE23, "K\x00K\x01\x86") ".",
	     "not contiguous"),
	CASE("negative stride",
	     P TENSOR(STORE6, "K\x00", SHAPE23, "J\xfd\xff\xff\xffK\x01\x86") ".",
	     "stride is negative"),
	CASE("requires_grad is a number",
	     P REBUILD "(" STORE6 "K\x00" SHAPE23 STRIDE31 "K\x00" ORDERED "tR.",
	     "wrong arguments"),
	CASE("hooks are None", P REBUILD "(" STORE6 "K\x00" SHAPE23 STRIDE31 "\x89NtR.",
	     "wrong arguments"),
};

static int run(const void *data, size_t size, struct fvsr_pickle *out, struct fvsr_error *err)
{
	/* An exact copy on the heap, so that a sanitizer sees a read past its end. */
	unsigned char *copy = malloc(size ? size : 1);
	int result;

	memcpy(copy, data, size);
	err->text[0] = '\0';
	result = fvsr_pickle_read(out, copy, size, "test", err);
	free(copy);
	return result;
}

static void test_cases(void)
{
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct pickle_case *c = &cases[i];
		struct fvsr_pickle p;
		struct fvsr_error err;
		int result = run(c->program, c->size, &p, &err);
		bool ok = c->message ? result == FVSR_ERR_FORMAT && strstr(err.text, c->message)
				     : result == 0 && p.count == 1;

		if (!CHECK_CASE(ok, c->name))
			printf("  got %d '%s'\n", result, err.text);
		if (result >= 0)
			fvsr_pickle_free(&p);
	}
}

/* Checks that every prefix of a good pickle is a bad one. */
static void test_truncated(void)
{
	static const char whole[] = DICT(TEXT1("a") GOOD TEXT1("b") GOOD);
	struct fvsr_pickle p;
	struct fvsr_error err;
	size_t n;

	for (n = 0; n < sizeof(whole) - 1; n++)
		CHECK(run(whole, n, &p, &err) == FVSR_ERR_FORMAT);
	CHECK(run(whole, n, &p, &err) == 0 && p.count == 2);
	fvsr_pickle_free(&p);
}

static void test_values(void)
{
	static const char program[] = DICT("X\x03\x00\x00\x00one" TENSOR(
		STORAGE(TEXT1("7"), "M\x00\x01"), "K\x05", SHAPE23, STRIDE31));
	struct fvsr_pickle p;
	struct fvsr_error err;

	if (!CHECK(run(program, sizeof(program) - 1, &p, &err) == 0))
		return;
	CHECK(p.count == 1 && !strcmp(p.tensors[0].name, "one"));
	CHECK(p.tensors[0].dtype == FVSR_DTYPE_F32);
	CHECK(p.tensors[0].rank == 2 && p.tensors[0].shape[0] == 2 && p.tensors[0].shape[1] == 3);
	CHECK(p.tensors[0].count == 6 && p.tensors[0].offset == 5);
	CHECK(p.tensors[0].storage_count == 256 && !strcmp(p.tensors[0].storage, "7"));
	fvsr_pickle_free(&p);
}

/*
 * Each tuple holds the one before it twice, through the memo: 2^10000 leaves for whoever copies
 * or walks them, ten thousand values for whoever does not.
 */
static void test_memo_growth(void)
{
	struct fvsr_pickle p;
	struct fvsr_error err;
	struct bytes b = {0};
	int i;

	bytes_add(&b, P, 2);
	bytes_text(&b, "N");
	for (i = 0; i < 10000; i++) {
		bytes_text(&b, "r");
		bytes_number(&b, (uint64_t)i, 4);
		bytes_text(&b, "j");
		bytes_number(&b, (uint64_t)i, 4);
		bytes_add(&b, "\x86", 1);
	}
	bytes_text(&b, ".");
	CHECK(run(b.data, b.size, &p, &err) == FVSR_ERR_FORMAT);
	CHECK(strstr(err.text, "neither a dictionary nor a tensor"));
	bytes_free(&b);
}

/* Reads a dictionary that holds one long key many times over. */
static void test_memo_names(void)
{
	struct fvsr_pickle p;
	struct fvsr_error err;
	struct bytes b = {0};
	int i;

	bytes_add(&b, P "}(X\x00\x00\x08\x00", 9);
	bytes_fill(&b, 'n', 0x80000);
	bytes_add(&b, "q\x00" GOOD "q\x01", sizeof("q\x00" GOOD "q\x01") - 1);
	for (i = 0; i < 50000; i++)
		bytes_add(&b, "h\x00h\x01", 4);
	bytes_text(&b, "u.");
	CHECK(run(b.data, b.size, &p, &err) == FVSR_ERR_FORMAT);
	CHECK(strstr(err.text, "too many tensors"));
	bytes_free(&b);
}

static void test_size(void)
{
	struct fvsr_pickle p;
	struct fvsr_error err;
	struct bytes b = {0};

	bytes_add(&b, P, 2);
	bytes_fill(&b, '(', 1 << 20);
	CHECK(run(b.data, b.size, &p, &err) == FVSR_ERR_FORMAT);
	CHECK(strstr(err.text, "above 1 MiB"));
	b.size = 1 << 20;
	CHECK(run(b.data, b.size, &p, &err) == FVSR_ERR_FORMAT);
	CHECK(strstr(err.text, "has no end"));
	bytes_free(&b);
}

/* Checks that what other tests build archives with is itself understood. */
static void test_crafted(void)
{
	static const struct craft_tensor tensors[] = {
		{"a.weight", FVSR_DTYPE_BF16, 3, {2, 1, 3}, NULL},
		{"b", FVSR_DTYPE_F16, 0, {0}, NULL},
	};
	struct fvsr_pickle p;
	struct fvsr_error err;
	struct bytes b = {0};

	craft_pickle(&b, tensors, 2);
	if (CHECK(run(b.data, b.size, &p, &err) == 0)) {
		CHECK(p.count == 2 && p.tensors[0].count == 6 && p.tensors[1].count == 1);
		CHECK(p.tensors[0].dtype == FVSR_DTYPE_BF16);
		CHECK(p.tensors[1].dtype == FVSR_DTYPE_F16 && p.tensors[1].rank == 0);
		fvsr_pickle_free(&p);
	} else {
		printf("  %s\n", err.text);
	}
	bytes_free(&b);
}

int main(void)
{
	test_cases();
	test_truncated();
	test_values();
	test_memo_growth();
	test_memo_names();
	test_size();
	test_crafted();
	return check_result();
}
