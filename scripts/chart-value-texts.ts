/** What the comments of values.yaml that helm-docs reads say of each value, by its path. */
export function chartValueTexts(yaml: string): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  const path: string[] = [];
  let words: string[] | undefined;
  for (const line of yaml.split("\n")) {
    const comment = /^ *# (-- )?(.*)$/.exec(line);
    if (comment !== null) {
      const [, begins, text = ""] = comment;
      if (begins !== undefined) words = [text.replace(/^\((int|string)\) /, "")];
      else if (!text.startsWith("@")) words?.push(text);
      continue;
    }
    const [, indent = "", key] = /^( *)(\w+):/.exec(line) ?? [];
    if (key !== undefined) {
      path.length = indent.length / 2;
      path.push(key);
      if (words !== undefined) texts.set(path.join("."), words.join(" "));
    }
    words = undefined;
  }
  return texts;
}

/** A schema whose properties say what they are for, as far as there are texts for them. */
export function describeValues(
  schema: Readonly<Record<string, unknown>>,
  texts: ReadonlyMap<string, string>,
  at = "",
): Readonly<Record<string, unknown>> {
  const { properties } = schema;
  if (typeof properties !== "object" || properties === null) return schema;
  const described = Object.entries(properties).map(([key, value]) => {
    const path = `${at}${key}`;
    const description = texts.get(path);
    const inner = describeValues(value, texts, `${path}.`);
    return [key, description === undefined ? inner : { description, ...inner }];
  });
  return { ...schema, properties: Object.fromEntries(described) };
}
