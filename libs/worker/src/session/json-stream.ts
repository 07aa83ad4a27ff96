/**
 * Splits text that holds any number of JSON values one after the other (spaces or nothing between them) into the text of each. What
 * is no JSON is left for the parser to refuse.
 */
export function splitJson(text: string): string[] {
  const values: string[] = [];
  let depth = 0;
  let start = -1;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (inString) {
      if (character === '\\') at += 1;
      else if (character === '"') inString = false;
      continue;
    }
    if (start === -1) {
      if (isSpace(character)) continue;
      start = at;
    }
    if (character === '"') inString = true;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (depth === 0 && (character === '}' || character === ']')) {
      values.push(text.slice(start, at + 1));
      start = -1;
    }
  }
  if (start !== -1) values.push(text.slice(start).trimEnd());
  return values;
}

function isSpace(character: string): boolean {
  return character === ' ' || character === '\n' || character === '\r' || character === '\t';
}
