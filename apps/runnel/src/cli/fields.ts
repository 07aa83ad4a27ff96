/** A text of another machine without what a terminal would obey. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\uFFFD');
}

/** Nested fields as lines `name.inner   value`, for a person. */
export function renderFields(value: object, prefix = ''): string[] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const name = `${prefix}${key}`;
    if (inner !== null && typeof inner === 'object' && !Array.isArray(inner)) return renderFields(inner, `${name}.`);
    return [`${printable(name).padEnd(24)} ${printable(typeof inner === 'string' ? inner : JSON.stringify(inner))}`];
  });
}
