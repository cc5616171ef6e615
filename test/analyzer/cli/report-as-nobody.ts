// Runs the report command without root's rights, which it gives up after everything is loaded: the sources may lie where
// only root may read.
import { reportCommand } from "../../../src/analyzer/cli/report-command.ts";

const nobody = 65_534;
if (process.getuid?.() === 0) {
  process.setgroups?.([]);
  process.setgid?.(nobody);
  process.setuid?.(nobody);
}
process.exitCode = await reportCommand(process.argv.slice(2));
