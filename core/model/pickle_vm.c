/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pickle is a program for a stack machine that may call any Python function. This machine knows
 * only what torch.save() emits for a dictionary of tensors, and calls nothing: OrderedDict makes
 * a dictionary, _rebuild_tensor_v2 a description of a tensor, and every other name, opcode or
 * call is an error.
 *
 * Each opcode takes at least one byte and makes at most one value, and a value that refers to
 * others holds indices, never copies: memory is a small multiple of the pickle's size, whatever
 * its memo refers to.
 */
#include "model/pickle_vm.h"

#include <stdlib.h>
#include <string.h>

#include "base/common.h"
#include "model/file.h"
#include "model/weights.h"

#define MAX_MEMO (1u << 17)
#define MARK     UINT32_MAX /* on the stack */

static const struct global {
	const char *module, *name;
	enum fvsr_pickle_kind kind;
	enum fvsr_dtype dtype;
} globals[] = {
	{"collections", "OrderedDict", FVSR_PICKLE_DICT_CLASS, 0},
	{"torch._utils", "_rebuild_tensor_v2", FVSR_PICKLE_REBUILD, 0},
	{"torch", "FloatStorage", FVSR_PICKLE_STORAGE_CLASS, FVSR_DTYPE_F32},
	{"torch", "BFloat16Storage", FVSR_PICKLE_STORAGE_CLASS, FVSR_DTYPE_BF16},
	{"torch", "HalfStorage", FVSR_PICKLE_STORAGE_CLASS, FVSR_DTYPE_F16},
};

int fvsr_pickle_bad(const struct fvsr_pickle_vm *vm, const char *why)
{
	return fvsr_fail(vm->err, FVSR_ERR_FORMAT, "%s: pickle: %s", vm->where, why);
}

static int no_memory(const struct fvsr_pickle_vm *vm)
{
	return fvsr_fail(vm->err, FVSR_ERR_MEMORY, "%s: pickle: out of memory", vm->where);
}

/* Makes room for one more of 'size' bytes; false when memory ran out. */
static bool grow(void *array, uint32_t count, uint32_t *space, size_t size)
{
	void **block = array;
	uint32_t wanted = *space ? 2 * *space : 64;
	void *bigger;

	if (count < *space)
		return true;
	bigger = realloc(*block, wanted * size);
	if (!bigger)
		return false;
	*block = bigger;
	*space = wanted;
	return true;
}

/* ------------------------------------------------------------------------------------------- */
/* Input, stack, values                                                                        */

static int take(struct fvsr_pickle_vm *vm, size_t n, const unsigned char **out)
{
	if (n > vm->bytes - vm->at)
		return fvsr_pickle_bad(vm, "ends in the middle of an instruction");
	*out = vm->data + vm->at;
	vm->at += n;
	return 0;
}

/* Takes a little-endian number of 'n' bytes, up to 8. */
static int take_number(struct fvsr_pickle_vm *vm, size_t n, uint64_t *out)
{
	const unsigned char *raw = NULL;
	int result = take(vm, n, &raw);

	if (result < 0)
		return result;
	for (*out = 0; n > 0; n--)
		*out = *out << 8 | raw[n - 1];
	return 0;
}

static int push(struct fvsr_pickle_vm *vm, uint32_t index)
{
	if (!grow(&vm->stack, vm->stack_count, &vm->stack_space, sizeof(*vm->stack)))
		return no_memory(vm);
	vm->stack[vm->stack_count++] = index;
	return 0;
}

static int push_value(struct fvsr_pickle_vm *vm, struct fvsr_pickle_value value)
{
	if (!grow(&vm->values, vm->value_count, &vm->value_space, sizeof(*vm->values)))
		return no_memory(vm);
	vm->values[vm->value_count] = value;
	return push(vm, vm->value_count++);
}

static int push_int(struct fvsr_pickle_vm *vm, int64_t number)
{
	return push_value(vm,
			  (struct fvsr_pickle_value){.kind = FVSR_PICKLE_INT, .number = number});
}

static int pop(struct fvsr_pickle_vm *vm, uint32_t *out)
{
	if (!vm->stack_count || vm->stack[vm->stack_count - 1] == MARK)
		return fvsr_pickle_bad(vm, "takes from an empty stack");
	*out = vm->stack[--vm->stack_count];
	return 0;
}

/* Finds the position behind the last mark, which stays. */
static int find_mark(struct fvsr_pickle_vm *vm, uint32_t *first)
{
	uint32_t i = vm->stack_count;

	while (i && vm->stack[i - 1] != MARK)
		i--;
	if (!i)
		return fvsr_pickle_bad(vm, "has no mark where one is needed");
	*first = i;
	return 0;
}

/* ------------------------------------------------------------------------------------------- */
/* Instructions                                                                                */

static int do_text(struct fvsr_pickle_vm *vm)
{
	struct fvsr_pickle_value value = {.kind = FVSR_PICKLE_TEXT};
	const unsigned char *raw = NULL;
	uint64_t n;
	int result = take_number(vm, 4, &n);

	if (result >= 0)
		result = take(vm, (size_t)n, &raw);
	if (result < 0)
		return result;
	if (!fvsr_utf8_valid((const char *)raw, (size_t)n) || memchr(raw, '\0', (size_t)n))
		return fvsr_pickle_bad(vm, "holds text that is not UTF-8");
	value.text = (const char *)raw;
	value.count = (uint32_t)n;
	return push_value(vm, value);
}

/* Pushes a whole number of one length byte and that many bytes. */
static int do_long(struct fvsr_pickle_vm *vm)
{
	uint64_t n, number = 0;
	int result = take_number(vm, 1, &n);

	if (result < 0)
		return result;
	if (n > 8)
		return fvsr_pickle_bad(vm, "holds a number of more than 64 bits");
	result = take_number(vm, (size_t)n, &number);
	if (result < 0)
		return result;
	if (n && n < 8 && number >> (8 * n - 1))
		number |= ~0ull << (8 * n);
	return push_int(vm, (int64_t)number);
}

static int do_int(struct fvsr_pickle_vm *vm, size_t n)
{
	uint64_t number;
	int result = take_number(vm, n, &number);

	if (result < 0)
		return result;
	return push_int(vm, n == 4 ? (int32_t)(uint32_t)number : (int64_t)number);
}

static int take_line(struct fvsr_pickle_vm *vm, const char **line, size_t *length)
{
	const unsigned char *start = vm->data + vm->at;
	const unsigned char *end = memchr(start, '\n', vm->bytes - vm->at);

	if (!end)
		return fvsr_pickle_bad(vm, "ends in the middle of an instruction");
	*line = (const char *)start;
	*length = (size_t)(end - start);
	vm->at += *length + 1;
	return 0;
}

static bool same(const char *text, size_t length, const char *known)
{
	return length == strlen(known) && !memcmp(text, known, length);
}

static int do_global(struct fvsr_pickle_vm *vm)
{
	const char *module = "", *name = "";
	char shown_module[64], shown_name[64];
	size_t n = 0, m = 0, i;
	int result = take_line(vm, &module, &n);

	if (result >= 0)
		result = take_line(vm, &name, &m);
	if (result < 0)
		return result;
	for (i = 0; i < sizeof(globals) / sizeof(globals[0]); i++)
		if (same(module, n, globals[i].module) && same(name, m, globals[i].name))
			return push_value(vm, (struct fvsr_pickle_value){
						      .kind = globals[i].kind,
						      .number = globals[i].dtype,
					      });
	fvsr_printable(shown_module, sizeof(shown_module), module, n);
	fvsr_printable(shown_name, sizeof(shown_name), name, m);
	return fvsr_fail(vm->err, FVSR_ERR_FORMAT,
			 "%s: pickle: refers to '%s.%s', which no model of weights needs",
			 vm->where, shown_module, shown_name);
}

/* Turns the top of the stack from position 'first' on into a tuple. */
static int make_tuple(struct fvsr_pickle_vm *vm, uint32_t first)
{
	struct fvsr_pickle_value value = {.kind = FVSR_PICKLE_TUPLE};
	uint32_t i;

	value.first = vm->item_count;
	value.count = vm->stack_count - first;
	for (i = first; i < vm->stack_count; i++) {
		if (!grow(&vm->items, vm->item_count, &vm->item_space, sizeof(*vm->items)))
			return no_memory(vm);
		vm->items[vm->item_count++] = vm->stack[i];
	}
	vm->stack_count = first;
	return push_value(vm, value);
}

static int do_tuple(struct fvsr_pickle_vm *vm)
{
	uint32_t first = 0, i;
	int result = find_mark(vm, &first);

	if (result < 0)
		return result;
	result = make_tuple(vm, first);
	if (result < 0)
		return result;
	i = --vm->stack_count; /* the tuple takes the place of the mark */
	vm->stack[i - 1] = vm->stack[i];
	return 0;
}

static int do_short_tuple(struct fvsr_pickle_vm *vm, uint32_t n)
{
	uint32_t i;

	for (i = 1; i <= n; i++)
		if (i > vm->stack_count || vm->stack[vm->stack_count - i] == MARK)
			return fvsr_pickle_bad(vm, "takes from an empty stack");
	return make_tuple(vm, vm->stack_count - n);
}

static int add_pair(struct fvsr_pickle_vm *vm, struct fvsr_pickle_value *dict, uint32_t key,
		    uint32_t value)
{
	uint32_t index = vm->pair_count;

	if (!grow(&vm->pairs, index, &vm->pair_space, sizeof(*vm->pairs)))
		return no_memory(vm);
	vm->pairs[vm->pair_count++] = (struct fvsr_pickle_pair){key, value, FVSR_PICKLE_NONE};
	if (dict->count++)
		vm->pairs[dict->last].next = index;
	else
		dict->first = index;
	dict->last = index;
	return 0;
}

static int top_dict(struct fvsr_pickle_vm *vm, uint32_t depth, struct fvsr_pickle_value **out)
{
	if (depth > vm->stack_count || vm->stack[vm->stack_count - depth] == MARK)
		return fvsr_pickle_bad(vm, "takes from an empty stack");
	*out = &vm->values[vm->stack[vm->stack_count - depth]];
	if ((*out)->kind != FVSR_PICKLE_DICT)
		return fvsr_pickle_bad(vm, "puts items into something that is no dictionary");
	return 0;
}

/* Sets pairs from position 'first' of the stack on; the dictionary is 'skip' places below. */
static int set_items(struct fvsr_pickle_vm *vm, uint32_t first, uint32_t skip)
{
	struct fvsr_pickle_value *dict = NULL;
	uint32_t i, n = vm->stack_count - first;
	int result = top_dict(vm, n + skip, &dict);

	if (result < 0)
		return result;
	if (n % 2)
		return fvsr_pickle_bad(vm, "has a key without a value");
	for (i = first; i < vm->stack_count && result >= 0; i += 2)
		result = add_pair(vm, dict, vm->stack[i], vm->stack[i + 1]);
	vm->stack_count = first - (skip - 1);
	return result;
}

static int do_set_items(struct fvsr_pickle_vm *vm)
{
	uint32_t first = 0;
	int result = find_mark(vm, &first);

	return result < 0 ? result : set_items(vm, first, 2);
}

static int do_set_item(struct fvsr_pickle_vm *vm)
{
	uint32_t i;

	for (i = 1; i <= 2; i++)
		if (i > vm->stack_count || vm->stack[vm->stack_count - i] == MARK)
			return fvsr_pickle_bad(vm, "takes from an empty stack");
	return set_items(vm, vm->stack_count - 2, 1);
}

/* Drops the attributes of a state dictionary (_metadata). */
static int do_build(struct fvsr_pickle_vm *vm)
{
	struct fvsr_pickle_value *dict;
	uint32_t state = 0;
	int result = pop(vm, &state);

	if (result < 0)
		return result;
	if (vm->values[state].kind != FVSR_PICKLE_DICT)
		return fvsr_pickle_bad(vm, "sets attributes that are no dictionary");
	return top_dict(vm, 1, &dict);
}

static int do_reduce(struct fvsr_pickle_vm *vm)
{
	struct fvsr_pickle_value value = {0};
	uint32_t args = 0, callee = 0;
	int result = pop(vm, &args);

	if (result >= 0)
		result = pop(vm, &callee);
	if (result < 0)
		return result;
	if (vm->values[args].kind != FVSR_PICKLE_TUPLE)
		return fvsr_pickle_bad(vm, "calls with something that is no tuple");
	if (vm->values[callee].kind == FVSR_PICKLE_REBUILD) {
		value.kind = FVSR_PICKLE_TENSOR;
		value.first = args;
	} else if (vm->values[callee].kind == FVSR_PICKLE_DICT_CLASS && !vm->values[args].count) {
		value.kind = FVSR_PICKLE_DICT;
	} else {
		return fvsr_pickle_bad(vm, "calls something that no model of weights needs");
	}
	return push_value(vm, value);
}

static int do_persistent_id(struct fvsr_pickle_vm *vm)
{
	uint32_t id = 0;
	int result = pop(vm, &id);

	if (result < 0)
		return result;
	if (vm->values[id].kind != FVSR_PICKLE_TUPLE)
		return fvsr_pickle_bad(vm, "names a storage by something that is no tuple");
	return push_value(vm, (struct fvsr_pickle_value){.kind = FVSR_PICKLE_STORAGE, .first = id});
}

static int do_put(struct fvsr_pickle_vm *vm, size_t n)
{
	uint64_t index;
	uint32_t space = vm->memo_space;
	int result = take_number(vm, n, &index);

	if (result < 0)
		return result;
	if (index >= MAX_MEMO)
		return fvsr_pickle_bad(vm, "has a memo index out of range");
	if (!vm->stack_count || vm->stack[vm->stack_count - 1] == MARK)
		return fvsr_pickle_bad(vm, "takes from an empty stack");
	while (index >= vm->memo_space) {
		if (!grow(&vm->memo, vm->memo_space, &vm->memo_space, sizeof(*vm->memo)))
			return no_memory(vm);
	}
	for (; space < vm->memo_space; space++)
		vm->memo[space] = FVSR_PICKLE_NONE;
	vm->memo[index] = vm->stack[vm->stack_count - 1];
	return 0;
}

static int do_get(struct fvsr_pickle_vm *vm, size_t n)
{
	uint64_t index;
	int result = take_number(vm, n, &index);

	if (result < 0)
		return result;
	if (index >= vm->memo_space || vm->memo[index] == FVSR_PICKLE_NONE)
		return fvsr_pickle_bad(vm, "has a memo index out of range");
	return push(vm, vm->memo[index]);
}

static int do_unknown(struct fvsr_pickle_vm *vm, unsigned char op)
{
	return fvsr_fail(vm->err, FVSR_ERR_FORMAT, "%s: pickle: unknown instruction 0x%02x",
			 vm->where, op);
}

/* Does one instruction; the names are those of Python's pickletools. */
static int step(struct fvsr_pickle_vm *vm, unsigned char op)
{
	switch (op) {
	case '(': /* MARK */
		return push(vm, MARK);
	case 'N': /* NONE */
		return push_value(vm, (struct fvsr_pickle_value){.kind = FVSR_PICKLE_NULL});
	case 0x88: /* NEWTRUE */
	case 0x89: /* NEWFALSE */
		return push_value(vm, (struct fvsr_pickle_value){.kind = FVSR_PICKLE_BOOL,
								 .number = op == 0x88});
	case 'K': /* BININT1 */
		return do_int(vm, 1);
	case 'M': /* BININT2 */
		return do_int(vm, 2);
	case 'J': /* BININT */
		return do_int(vm, 4);
	case 0x8a: /* LONG1 */
		return do_long(vm);
	case 'X': /* BINUNICODE */
		return do_text(vm);
	case 'c': /* GLOBAL */
		return do_global(vm);
	case ')': /* EMPTY_TUPLE */
		return make_tuple(vm, vm->stack_count);
	case 't': /* TUPLE */
		return do_tuple(vm);
	case 0x85: /* TUPLE1 */
	case 0x86: /* TUPLE2 */
	case 0x87: /* TUPLE3 */
		return do_short_tuple(vm, op - 0x84u);
	case '}': /* EMPTY_DICT */
		return push_value(vm, (struct fvsr_pickle_value){.kind = FVSR_PICKLE_DICT});
	case 's': /* SETITEM */
		return do_set_item(vm);
	case 'u': /* SETITEMS */
		return do_set_items(vm);
	case 'R': /* REDUCE */
		return do_reduce(vm);
	case 'b': /* BUILD */
		return do_build(vm);
	case 'Q': /* BINPERSID */
		return do_persistent_id(vm);
	case 'q': /* BINPUT */
		return do_put(vm, 1);
	case 'r': /* LONG_BINPUT */
		return do_put(vm, 4);
	case 'h': /* BINGET */
		return do_get(vm, 1);
	case 'j': /* LONG_BINGET */
		return do_get(vm, 4);
	default:
		return do_unknown(vm, op);
	}
}

static int check_protocol(struct fvsr_pickle_vm *vm)
{
	if (vm->bytes < 2 || vm->data[0] != 0x80)
		return fvsr_pickle_bad(vm, "does not begin with its protocol");
	if (vm->data[1] != 2)
		return fvsr_pickle_bad(vm, "is not of protocol 2");
	vm->at = 2;
	return 0;
}

int fvsr_pickle_run(struct fvsr_pickle_vm *vm)
{
	int result = check_protocol(vm);

	while (result >= 0) {
		unsigned char op;

		if (vm->at >= vm->bytes)
			return fvsr_pickle_bad(vm, "has no end");
		op = vm->data[vm->at++];
		if (op == '.') /* STOP */
			break;
		result = step(vm, op);
	}
	if (result < 0)
		return result;
	if (vm->at != vm->bytes)
		return fvsr_pickle_bad(vm, "goes on behind its end");
	result = pop(vm, &vm->result);
	if (result >= 0 && vm->stack_count)
		return fvsr_pickle_bad(vm, "leaves more than one value");
	return result;
}

void fvsr_pickle_vm_free(struct fvsr_pickle_vm *vm)
{
	free(vm->values);
	free(vm->items);
	free(vm->stack);
	free(vm->memo);
	free(vm->pairs);
}
