// A consumer with ES modules: only compiled, against the package as it is published.
import {
  ConnectionError, DEFAULT_SANDBOX_POLICY, DefaultExecutorFactory, DockerExecutor, GantryClient,
  infra, type CodeExecutionResult, type CodeExecutor, type Execution, type SandboxPolicy,
} from 'gantry-client';

const policy: SandboxPolicy = { ...DEFAULT_SANDBOX_POLICY, networkAccess: 'none' };
const executor: CodeExecutor = new DockerExecutor(policy, { networkFallback: 'none' });
const factory = new DefaultExecutorFactory({ baseUrl: 'http://127.0.0.1:5920' });
const other: CodeExecutor = await factory.createLocalSandbox(policy);
const result: CodeExecutionResult = await executor.execute({ language: 'python', code: '' });
const code: number = result.exitCode;
new infra.LocalSandboxExecutor(infra.DEFAULT_SANDBOX_POLICY);

const client = new GantryClient();
const page = await client.request('get', '/api/v1/executions', { query: { limit: 5 } });
const names: string[] = page.items.map((item) => item.id);
const one: Execution = await client.request('get', '/api/v1/executions/{id}',
  { path: { id: 'x' } });
// @ts-expect-error: there is no such path
await client.request('get', '/api/v1/nothing');
// @ts-expect-error: this path can not be posted to
await client.request('post', '/api/v1/system');
// @ts-expect-error: there is no such field
await client.request('post', '/api/v1/executions', { body: { langage: 'python' } });
// @ts-expect-error: there is no such network
new DockerExecutor({ ...policy, networkAccess: 'everything' });

const failure: unknown = undefined;
if (failure instanceof ConnectionError) console.log(failure.where satisfies 'server' | 'engine');
console.log(other, code, names, one.verdict);
