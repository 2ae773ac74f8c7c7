import type { InputFile } from '../api/client';
import type { LimitName, Modes, ProgramText } from './program';

const samples: Record<string, string> = {
  python: `import platform

for n in range(1, 6):
    print(n, n * n)

print("Python", platform.python_version())
`,
  javascript: `for (let n = 1; n <= 5; n += 1) {
  console.log(n, n * n);
}

console.log('Node', process.version);
`,
  bash: `for n in 1 2 3 4 5; do
  echo "$n $((n * n))"
done

echo "bash $BASH_VERSION"
`,
  sh: `for n in 1 2 3 4 5; do
  echo "$n $((n * n))"
done

uname -sr
`,
};

const no_limits: Record<LimitName, number | null> = {
  wall_time_ms: null,
  cpu_time_ms: null,
  memory_bytes: null,
  cpus: null,
  pids: null,
  output_bytes: null,
  file_bytes: null,
  tmpfs_bytes: null,
};

const no_modes: Modes = {
  executor: '',
  network: '',
  filesystem: '',
  workspace: '',
  runtime: '',
  on_output_cap: '',
};

/** The program being written. It outlives the page, so that looking at containers loses nothing. */
class Draft implements ProgramText {
  language = $state('python');
  stdin = $state('');
  args = $state('');
  env = $state('');
  files = $state<InputFile[]>([]);
  limits = $state({ ...no_limits });
  modes = $state<Modes>({ ...no_modes });
  typing = $state<ProgramText['typing']>('before');
  image = $state('');
  command = $state('');
  private sources = $state<Record<string, string>>({ ...samples });

  get source(): string {
    return this.sources[this.language] ?? '';
  }

  set source(text: string) {
    this.sources[this.language] = text;
  }

  /** Each language keeps the text written for it. */
  choose(language: string): void {
    this.language = language;
  }

  reset_limits(): void {
    this.limits = { ...no_limits };
  }

  reset_modes(): void {
    this.modes = { ...no_modes };
  }
}

export const draft = new Draft();
