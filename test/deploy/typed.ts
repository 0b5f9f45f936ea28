import path from 'node:path';
import ts from 'typescript';
import { nameOf, root, type Manifest } from './manifests.js';

/** Where the types and compiled schemas of a group are; the core's own are in kubernetes-models. */
const packages: Record<string, string> = {
  'keda.sh': '@kubernetes-models/keda', 'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api', 'postgresql.cnpg.io': '@kubernetes-models/cloudnative-pg',
};
/** Nobody publishes these groups' schemas as a package: they are read by people alone. */
const unchecked = ['rabbitmq.com', 'external-secrets.io', 'gateway.envoyproxy.io'];

/** The module that has the model of a manifest; null where nobody publishes one. */
export function moduleOf({ apiVersion, kind }: Manifest): string | null {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  if (unchecked.includes(group)) return null;
  return packages[group] ? `${packages[group]}/${group}/${version}/${kind}` : `kubernetes-models/${group ? `${group}/` : ''}${version}/${kind}`;
}

/**
 * What the compiler says of manifests written as literals of their types: above all of fields that there are not, which validators let pass.
 * @returns `name: message`
 */
export function typeFaults(manifests: Manifest[]): string[] {
  const known = manifests.filter((manifest) => moduleOf(manifest) !== null);
  const lines = known.map((manifest, at) => `export const m${at}: import('${moduleOf(manifest)}').I${manifest.kind} = ${JSON.stringify(manifest)};`);
  const file = path.join(root, 'test/deploy/rendered-as-literals.ts');
  const options: ts.CompilerOptions = { noEmit: true, strict: true, skipLibCheck: true, types: [], target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler };
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (name) => name === file || disk.fileExists(name),
    getSourceFile: (name, ...rest) => (name === file ? ts.createSourceFile(name, lines.join('\n'), ts.ScriptTarget.ES2022) : disk.getSourceFile(name, ...rest)),
  };
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program, program.getSourceFile(file)).map(({ start = 0, file: source, messageText }) => {
    const line = source!.getLineAndCharacterOfPosition(start).line;
    return `${nameOf(known[line])}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}
