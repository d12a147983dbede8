/** BTF_KIND_* of include/uapi/linux/btf.h. Every kind up to Linux 7.2; 0 is void and has no bytes. */
export const BTF_KIND = {
  INT: 1,
  PTR: 2,
  ARRAY: 3,
  STRUCT: 4,
  UNION: 5,
  ENUM: 6,
  FWD: 7,
  TYPEDEF: 8,
  VOLATILE: 9,
  CONST: 10,
  RESTRICT: 11,
  /** Since 5.0, like FUNC_PROTO. */
  FUNC: 12,
  FUNC_PROTO: 13,
  /** Since 5.2, like DATASEC. */
  VAR: 14,
  DATASEC: 15,
  /** Since 5.13. */
  FLOAT: 16,
  /** Since 5.16. */
  DECL_TAG: 17,
  /** Since 5.17. */
  TYPE_TAG: 18,
  /** Since 6.0. */
  ENUM64: 19,
} as const;

/** `struct btf_type`: name_off, info, size or type. */
export const BTF_TYPE_SIZE = 12;
/** `struct btf_member`: name_off, type, offset. */
export const BTF_MEMBER_SIZE = 12;

/**
 * Bits 24-30 of `info`. 24-28 before the field was widened; 29 and 30 were required to be zero then, so
 * the wide mask reads both.
 */
export function btfInfoKind(info: number): number {
  return (info >>> 24) & 0x7f;
}

/** Bits 0-23 of `info`. 0-15 before the field was widened; 16-23 were required to be zero then. */
export function btfInfoVlen(info: number): number {
  return info & 0xffffff;
}

/** Bit 31 of `info`: in a struct or union, member offsets carry a bitfield's width in their top 8 bits. */
export function btfInfoKindFlag(info: number): boolean {
  return info >>> 31 === 1;
}

/** Bytes that follow `struct btf_type`; undefined for a kind whose length is not known. */
export function btfTailSize(kind: number, vlen: number): number | undefined {
  switch (kind) {
    case BTF_KIND.PTR:
    case BTF_KIND.FWD:
    case BTF_KIND.TYPEDEF:
    case BTF_KIND.VOLATILE:
    case BTF_KIND.CONST:
    case BTF_KIND.RESTRICT:
    case BTF_KIND.FUNC:
    case BTF_KIND.FLOAT:
    case BTF_KIND.TYPE_TAG:
      return 0;
    case BTF_KIND.INT:
    case BTF_KIND.VAR:
    case BTF_KIND.DECL_TAG:
      return 4;
    case BTF_KIND.ARRAY:
      return 12;
    case BTF_KIND.ENUM:
    case BTF_KIND.FUNC_PROTO:
      return vlen * 8;
    case BTF_KIND.STRUCT:
    case BTF_KIND.UNION:
      return vlen * BTF_MEMBER_SIZE;
    case BTF_KIND.DATASEC:
    case BTF_KIND.ENUM64:
      return vlen * 12;
    default:
      return undefined;
  }
}
