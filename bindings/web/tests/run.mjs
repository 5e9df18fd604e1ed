// run.mjs FILE: the tests of one file. Exit status 0: all passed; 1: some failed; 77: none failed, but some were
// skipped, and the reasons are printed.
import { spawnSync } from 'node:child_process';

const run = spawnSync(process.execPath, ['--test', '--test-reporter=tap', process.argv[2]], { encoding: 'utf8' });
process.stdout.write(run.stdout);
process.stderr.write(run.stderr);
const count = (name) => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(run.stdout)?.[1] ?? -1);
if (run.status !== 0 || count('fail') !== 0) process.exit(1);
if (count('tests') < 1) {
  console.log('no tests found');
  process.exit(1);
}
process.exit(count('skipped') > 0 ? 77 : 0);
