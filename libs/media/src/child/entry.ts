/**
 * URL of a file to fork that lies beside the calling module: `childEntry(import.meta.url, './work.child.js')`.
 * Always the compiled file, also when the caller runs from its source (tests), because a plain Node cannot resolve our sources.
 */
export function childEntry(callerUrl: string, compiledName: string): URL {
  const entry = new URL(compiledName, callerUrl);
  if (!callerUrl.endsWith('.ts')) return entry;
  const at = entry.href.lastIndexOf('/src/');
  return new URL(`${entry.href.slice(0, at)}/dist/${entry.href.slice(at + '/src/'.length)}`);
}
