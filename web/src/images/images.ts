import type { Image, System } from '../api/client';
import type { StoredImage } from '../api/stores';
import { short_id } from '../base/format';

/** What would miss an image: containers by their names, and languages of the sandbox. */
export interface Users {
  readonly containers: readonly string[];
  readonly languages: readonly string[];
}

/** An image of a host; `sandbox` is what programs have to do with it, if they have. */
export type ShownImage = StoredImage & Pick<Image, 'sandbox'>;

/** The images of a host, with what the sandbox knows of those that it has, too. */
export function with_sandbox(
  images: readonly StoredImage[],
  of_sandbox: readonly Image[],
): readonly ShownImage[] {
  const known = new Map(of_sandbox.map(({ id, sandbox }) => [id, sandbox]));
  return images.map((image) => ({ ...image, sandbox: known.get(image.id) ?? null }));
}

/** A name as engines keep it: `alpine` and `docker.io/library/alpine` are `alpine:latest`. */
export function full_name(reference: string): string {
  const local = reference.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\//, '');
  const last = local.slice(local.lastIndexOf('/') + 1);
  return last.includes(':') || local.includes('@') ? local : `${local}:latest`;
}

export function users_of(
  image: ShownImage,
  containers: readonly { name: string; image: string }[],
  system: System | undefined,
): Users {
  const names = new Set([...image.tags, ...image.digests].map(full_name));
  const serves = (reference: string): boolean => names.has(full_name(reference));
  const aliases = system?.image_aliases ?? {};
  const id = image.id.replace(/^sha256:/, '');
  return {
    containers: containers
      .filter((container) => serves(container.image) || is_id(container.image, id))
      .map(({ name }) => name),
    languages: (system?.languages ?? [])
      .filter((language) => serves(language.image) || serves(aliases[language.image] ?? ''))
      .map(({ name }) => name),
  };
}

/** The names of an image; engines before 25 list `<none>` where there is none. */
export function names_of(image: ShownImage): readonly string[] {
  const names = image.tags.length > 0 ? image.tags : image.digests;
  return names.filter((name) => !name.startsWith('<none>'));
}

export function image_short_id(image: { id: string }): string {
  return short_id(image.id.replace(/^sha256:/, ''));
}

/** Those with a name first; else as the engine has them, the newest first. */
export function named_first(images: readonly ShownImage[]): readonly ShownImage[] {
  const nameless = (image: ShownImage): number => Number(names_of(image).length === 0);
  return [...images].sort((a, b) => nameless(a) - nameless(b));
}

/** Images in which every word of `text` occurs in a name or the id. */
export function filter_images(images: readonly ShownImage[], text: string): readonly ShownImage[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return images.filter((image) => {
    const all = [image.id, ...image.tags, ...image.digests].join(' ').toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

function is_id(reference: string, id: string): boolean {
  const bare = reference.replace(/^sha256:/, '');
  return bare.length >= 12 && /^[0-9a-f]+$/.test(bare) && id.startsWith(bare);
}
