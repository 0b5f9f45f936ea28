import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** A file of this repository; `path` from its root, with slashes. */
export interface SourceFile {
  path: string;
  text: string;
}

export interface FunctionShape {
  path: string;
  line: number;
  lines: number;
  name: string;
  constructorParams: number;
}

export const root = path.resolve(import.meta.dirname, '../..');
const generated = new Set(['node_modules', 'dist', '.nx', '.floodgate', '.git', 'coverage']);

/** The repository's own files that match, without what is installed or built. */
export function files(pattern: string): SourceFile[] {
  return globSync(pattern, { cwd: root, exclude: (name) => generated.has(path.basename(name)) })
    .map((name) => ({ path: name.split(path.sep).join('/'), text: readFileSync(path.join(root, name), 'utf8') }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A test, or what helps tests. */
export const isTest = (file: SourceFile): boolean => /\.(spec|int-spec|e2e-spec)\.ts$|^test\/|\/(support|testing)\//.test(file.path);

/** The text without comments, lines kept: what a rule about code reads. */
export const withoutComments = once((file): string => {
  return file.text.replaceAll(/\/\*[^]*?\*\/|(?<=^|[\s;,{}()])\/\/.*$/gm, (comment) => comment.replaceAll(/[^\n]/g, ''));
});

/** What a pattern's first group matches in the code, with where it stands. */
export function findAll(sources: readonly SourceFile[], pattern: RegExp): { path: string; found: string }[] {
  return sources.flatMap((file) => [...withoutComments(file).matchAll(pattern)].map((match) => ({ path: file.path, found: match[1]! })));
}

export const exists = (name: string): boolean => globSync(name, { cwd: root }).length > 0;

/** Every function with its length in lines and, for constructors, its parameters. */
export const functions = once((file): FunctionShape[] => {
  const tree = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
  const found: FunctionShape[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const first = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line;
      const last = tree.getLineAndCharacterOfPosition(node.end).line;
      const name = node.name?.getText(tree) ?? (ts.isConstructorDeclaration(node) ? 'constructor' : 'anonymous');
      found.push({ path: file.path, line: first + 1, lines: last - first + 1, name, constructorParams: ts.isConstructorDeclaration(node) ? node.parameters.length : 0 });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
});

/** Several rules ask the same of a file. */
function once<T>(compute: (file: SourceFile) => T): (file: SourceFile) => T {
  const known = new WeakMap<SourceFile, T>();
  return (file) => {
    if (!known.has(file)) known.set(file, compute(file));
    return known.get(file) as T;
  };
}
