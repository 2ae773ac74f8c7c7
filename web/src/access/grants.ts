import type { ExtraRight, Grant, GrantRequest } from '../api/people';

/** One line of the form of grants: what it is for, and what may be done there. */
export interface GrantDraft {
  kind: 'group' | 'host' | 'gone';
  name: string;
  project: string;
  role: Grant['role'];
  unmask: boolean;
  recordings: boolean;
}

export function draft_of(grant: Grant): GrantDraft {
  const kind = grant.group !== null ? 'group' : grant.host !== null ? 'host' : 'gone';
  return {
    kind,
    name: grant.group ?? grant.host ?? '',
    project: grant.project ?? '',
    role: grant.role,
    unmask: grant.rights.includes('unmask'),
    recordings: grant.rights.includes('recordings'),
  };
}

/** What is sent. A grant whose host is gone can not be given again and falls away. */
export function requests_of(drafts: readonly GrantDraft[]): GrantRequest[] {
  return drafts.filter(({ kind }) => kind !== 'gone').map(request_of);
}

function request_of(draft: GrantDraft): GrantRequest {
  const name = draft.name.trim();
  const project = draft.project.trim();
  const rights: ExtraRight[] = [];
  if (draft.unmask) rights.push('unmask');
  if (draft.recordings) rights.push('recordings');
  return {
    ...(draft.kind === 'group' ? { group: name } : { host: name }),
    ...(project === '' ? {} : { project }),
    role: draft.role,
    ...(rights.length === 0 ? {} : { rights }),
  };
}
