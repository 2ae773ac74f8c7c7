// The contexts of Docker's own client, as `docker context export` or `inspect` tells them.

/** How its engine is reached, and the PEM texts that belong to it. */
export interface DockerContext {
  readonly name: string;
  /** `tcp://…` with certificates is `tls://…` for us. */
  readonly endpoint: string;
  readonly tls: { readonly ca: string; readonly certificate: string; readonly key: string };
  /** Whether it has certificates that are not in what was read. */
  readonly tls_missing: boolean;
}

/** Why there is no host in it; each has words in the languages. */
export type BadContext = 'unreadable' | 'no_endpoint' | 'skips_check' | 'no_kind';

export class ContextError extends Error {
  constructor(readonly why: BadContext) {
    super(why);
  }
}

export const context_max = 8_388_608;

const block = 512;

/** The plain files of a tar archive by their names; what is no archive has none. */
export function files_of(archive: Uint8Array): Map<string, string> {
  const files = new Map<string, string>();
  const texts = new TextDecoder();
  const field = (at: number, size: number): string =>
    texts.decode(archive.subarray(at, at + size)).split('\0')[0]!;
  for (let at = 0; at + block <= archive.length; ) {
    const name = field(at, 100);
    const size = Number.parseInt(field(at + 124, 12), 8);
    if (name === '' || !(size >= 0) || field(at + 257, 5) !== 'ustar') break;
    const begin = at + block;
    const kind = archive[at + 156];
    if (kind === 0x30 || kind === 0) {
      files.set(name.replace(/^\.\//, ''), texts.decode(archive.subarray(begin, begin + size)));
    }
    at = begin + Math.ceil(size / block) * block;
  }
  return files;
}

/** Of an archive that `docker context export` wrote, or of a file with the text below. */
export function context_of_file(bytes: Uint8Array): DockerContext {
  const files = files_of(bytes);
  const meta = files.get('meta.json');
  if (meta === undefined) return context_of_text(new TextDecoder().decode(bytes));
  const text = (name: string): string => files.get(`tls/docker/${name}.pem`) ?? '';
  return context_of_meta(first_of(meta), {
    ca: text('ca'),
    certificate: text('cert'),
    key: text('key'),
  });
}

/** Of what `docker context inspect` prints, or of a `meta.json`: neither has the certificates. */
export function context_of_text(text: string): DockerContext {
  return context_of_meta(first_of(text), { ca: '', certificate: '', key: '' });
}

function first_of(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value[0] : value;
  } catch {
    throw new ContextError('unreadable');
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function context_of_meta(meta: unknown, tls: DockerContext['tls']): DockerContext {
  const docker = member(member(meta, 'Endpoints'), 'docker');
  const host = member(docker, 'Host');
  if (typeof host !== 'string' || host === '') throw new ContextError('no_endpoint');
  if (member(docker, 'SkipTLSVerify') === true) throw new ContextError('skips_check');
  if (!/^(unix|tcp|ssh):\/\//.test(host)) throw new ContextError('no_kind');
  const named = member(member(meta, 'TLSMaterial'), 'docker');
  const told = Array.isArray(named) && named.length > 0;
  const there = tls.ca !== '' || tls.certificate !== '';
  const name = member(meta, 'Name');
  return {
    name: typeof name === 'string' ? name : '',
    endpoint: told || there ? host.replace(/^tcp:/, 'tls:') : host,
    tls,
    tls_missing: told && !there,
  };
}

/** What can be a host's name, of any name: `My Server` becomes `my-server`. */
export function host_name_of(name: string): string {
  const low = name.slice(0, 63).toLowerCase();
  return low.replace(/[^a-z0-9_.-]/g, '-').replace(/^[_.-]+/, '');
}
