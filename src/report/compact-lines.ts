/** What `--compact` came to, in words. */
import type { CompactRecord, PruneRun } from '../contracts/prune-run.ts'
import { chosenNet } from './chosen.ts'
import { formatCount } from './format.ts'

/** A line for each repaired net that was compacted, or could not be. */
export function compactLines(run: PruneRun): string[] {
	return run.repaired.flatMap((net) =>
		net.compact ? [`${chosenNet(net)}, compact: ${compactText(net.compact, net.pruned)}`] : [],
	)
}

function compactText(compact: CompactRecord, pruned: number): string {
	const { file, removed, reason, parameters, bytes, secondsPerImage } = compact
	if (file === null || secondsPerImage === null) return `nothing written; ${reason ?? ''}`
	const sizes = [
		`${formatCount(parameters.before)} → ${formatCount(parameters.after)} parameters`,
		`${formatBytes(bytes.before)} → ${formatBytes(bytes.after)}`,
		`${(secondsPerImage.before / secondsPerImage.after).toFixed(2)} times as fast`,
	]
	const stay = reason === null ? '' : `; ${reason}`
	return `${removed} of ${pruned} channels gone, ${sizes.join(', ')} (${file})${stay}`
}

function formatBytes(bytes: number): string {
	return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`
}
