/**
 * Every export has a docstring, as a lint rule: functions, classes and their public members, interfaces, types and constants that a
 * source of `libs/*` or `apps/*` exports say what a consumer needs. Specs, `testing/` and `index.ts` (which only names again) are free.
 */
import { relative, resolve, sep } from 'node:path';

/** The repository; its own tests lint a small one of theirs. */
const ROOT = process.env['RUNNEL_LINT_ROOT'] ?? resolve(import.meta.dirname, '..', '..');

/** What to call a declaration in the message; a kind that is not here needs no docstring. */
const KINDS = {
  FunctionDeclaration: 'function',
  TSDeclareFunction: 'function',
  ClassDeclaration: 'class',
  TSInterfaceDeclaration: 'interface',
  TSTypeAliasDeclaration: 'type',
  TSEnumDeclaration: 'enum',
  VariableDeclaration: 'constant',
};

/** Methods whose contract is the framework's: a docstring on them would only repeat Nest's own. */
const FRAMEWORK_METHODS = new Set([
  'configure',
  'onModuleInit',
  'onModuleDestroy',
  'onApplicationBootstrap',
  'beforeApplicationShutdown',
  'onApplicationShutdown',
]);

/** Whether the rule covers a file, given by its absolute path. */
export function covers(file) {
  const path = relative(ROOT, file).split(sep).join('/');
  return /^(?:libs|apps)\/[^/]+\/src\/(?!.*testing\/)(?!.*\bindex\.ts$).+(?<!\.spec)\.ts$/.test(path);
}

/** Whether the text before a declaration ends in a docstring; decorators may stand between the two. */
export function hasDocstring(before) {
  return /\/\*\*(?:(?!\*\/)[^])*[^\s*](?:(?!\*\/)[^])*\*\/\s*$/.test(before);
}

/** Names of exported constants: a type of the same name (a zod schema and what it infers) shares the constant's docstring. */
export function constantsOf(text) {
  return new Set([...text.matchAll(/^export const (\w+)/gm)].map(([, name]) => name));
}

const startOf = (node) => Math.min(node.range[0], ...(node.decorators ?? []).map((decorator) => decorator.range[0]));

function isPublicMethod(member) {
  if (member.type !== 'MethodDefinition' || member.kind === 'constructor' || member.override === true) return false;
  if (member.accessibility === 'private' || member.accessibility === 'protected') return false;
  return member.key.type === 'Identifier' && !FRAMEWORK_METHODS.has(member.key.name);
}

const docstrings = {
  create(context) {
    if (!covers(context.filename)) return {};
    const text = context.sourceCode.text;
    const constants = constantsOf(text);
    const check = (node, start, kind, name) => {
      if (hasDocstring(text.slice(0, start))) return;
      context.report({ node, message: `The exported ${kind} '${name}' has no docstring: say what a consumer needs.` });
    };
    const checkClass = (node) => {
      // A class that implements an interface inherits the interface's docstrings.
      if ((node.implements ?? []).some(({ expression }) => expression.name !== 'Disposable')) return;
      for (const member of node.body.body.filter(isPublicMethod)) {
        check(member.key, startOf(member), 'method', `${node.id?.name ?? 'default'}.${member.key.name}`);
      }
    };
    return {
      ExportNamedDeclaration(node) {
        const declared = node.declaration;
        const kind = KINDS[declared?.type];
        if (kind === undefined) return;
        const named = declared.id ?? declared.declarations?.[0]?.id;
        if (kind === 'type' && constants.has(named.name)) return;
        check(named, Math.min(startOf(node), startOf(declared)), kind, named.name ?? 'it');
        if (declared.type === 'ClassDeclaration') checkClass(declared);
      },
    };
  },
};

export default docstrings;
