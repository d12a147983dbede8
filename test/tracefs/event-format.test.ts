import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findField, parseEventFormat } from "../../src/tracefs/event-format.ts";

const COMMON = `	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:unsigned char common_flags;	offset:2;	size:1;	signed:0;
	field:unsigned char common_preempt_count;	offset:3;	size:1;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;
`;

const RETRANSMIT = `name: tcp_retransmit_skb
ID: 2281
format:
${COMMON}
	field:const void * skbaddr;	offset:8;	size:8;	signed:0;
	field:const void * skaddr;	offset:16;	size:8;	signed:0;
	field:int state;	offset:24;	size:4;	signed:1;
	field:__u16 sport;	offset:28;	size:2;	signed:0;
	field:__u8 saddr_v6[16];	offset:42;	size:16;	signed:0;
	field:int err;	offset:76;	size:4;	signed:1;

print fmt: "skbaddr=%p field:int fake;", REC->skbaddr
`;

test("parseEventFormat() reads name, number and every field of a tracepoint", () => {
  const format = parseEventFormat(RETRANSMIT);
  assert.equal(format.name, "tcp_retransmit_skb");
  assert.equal(format.id, 2281);
  assert.equal(format.text, RETRANSMIT);
  assert.deepEqual(
    format.fields.map(({ name }) => name),
    [
      "common_type",
      "common_flags",
      "common_preempt_count",
      "common_pid",
      "skbaddr",
      "skaddr",
      "state",
      "sport",
      "saddr_v6",
      "err",
    ],
  );
  assert.deepEqual(findField(format, "skaddr"), {
    name: "skaddr",
    type: "const void *",
    offset: 16,
    size: 8,
    signed: false,
    array: undefined,
  });
  assert.deepEqual(findField(format, "saddr_v6"), {
    name: "saddr_v6",
    type: "__u8",
    offset: 42,
    size: 16,
    signed: false,
    array: 16,
  });
  assert.equal(findField(format, "err")?.signed, true);
});

test("findField() gives undefined for a field that this kernel does not have", () => {
  assert.equal(findField(parseEventFormat(RETRANSMIT), "fake"), undefined);
});

const DECLARATIONS = [
  { text: "unsigned long caller[8]", name: "caller", type: "unsigned long", array: 8 },
  { text: "u64 fa[2]", name: "fa", type: "u64", array: 2 },
  { text: "__data_loc char[] name", name: "name", type: "__data_loc char[]", array: undefined },
  { text: "char comm[TASK_COMM_LEN]", name: "comm", type: "char", array: 0 },
  { text: "char buf[]", name: "buf", type: "char", array: 0 },
  { text: "unsigned long __probe_ip", name: "__probe_ip", type: "unsigned long", array: undefined },
];

for (const { text, ...expected } of DECLARATIONS) {
  test(`parseEventFormat() reads the declaration "${text}"`, () => {
    const format = parseEventFormat(
      `name: x\nID: 1\nformat:\n\tfield:${text};\toffset:8;\tsize:64;\tsigned:0;\n`,
    );
    assert.deepEqual(format.fields, [{ ...expected, offset: 8, size: 64, signed: false }]);
  });
}

const BAD = [
  { name: "nothing", text: "", says: /no name line/ },
  { name: "no ID", text: RETRANSMIT.replace("ID: 2281\n", ""), says: /of "tcp_retransmit_skb": no ID line/ },
  { name: "no field", text: "name: x\nID: 1\nformat:\n", says: /of "x": no field line/ },
  { name: "an ID that is no number", text: RETRANSMIT.replace("2281", "22x1"), says: /ID is "22x1"/ },
  {
    name: "an offset that is negative",
    text: RETRANSMIT.replace("offset:24", "offset:-24"),
    says: /offset is "-24"/,
  },
  {
    name: "a size beyond reason",
    text: RETRANSMIT.replace("size:16", "size:9999999999"),
    says: /size is "9999999999"/,
  },
  { name: "a field without size", text: RETRANSMIT.replace("size:16;", ""), says: /no size in "field:__u8/ },
  {
    name: "a field without type",
    text: RETRANSMIT.replace("int err", "err"),
    says: /no field name in "err"/,
  },
];

for (const { name, text, says } of BAD) {
  test(`parseEventFormat() throws SyntaxError on ${name}`, () => {
    assert.throws(() => parseEventFormat(text), { name: "SyntaxError", message: says });
  });
}

test("parseEventFormat() gives a format or SyntaxError, whatever the text", () => {
  const mutation = fc.tuple(fc.nat(RETRANSMIT.length), fc.nat(20), fc.string({ maxLength: 8 }));
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), (mutations) => {
      let text = RETRANSMIT;
      for (const [at, remove, insert] of mutations)
        text = text.slice(0, at) + insert + text.slice(at + remove);
      try {
        for (const field of parseEventFormat(text).fields) assert.ok(field.offset >= 0 && field.size >= 0);
      } catch (error) {
        assert.ok(error instanceof SyntaxError, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});
