// A consumer with CommonJS: only compiled, against the package as it is published.
import client = require('gantry-client');

const executor: client.CodeExecutor = new client.DockerExecutor(client.DEFAULT_SANDBOX_POLICY);
const running: Promise<client.CodeExecutionResult> = executor.execute({
  language: 'shell', code: 'true', files: [{ path: 'a/b', content: '' }],
});
const { DockerExecutor } = client.infra;
// @ts-expect-error: a policy has four fields
new DockerExecutor({ maxCpuSeconds: 1 });
running.then((result) => result.stdout satisfies string);
