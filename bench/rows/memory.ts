/** The whole command on sets of the lab's size: the peak of its memory. */
import { join } from 'node:path'
import { runCommand } from '../harness/command.ts'
import { spreadOf } from '../harness/statistics.ts'
import type { Bench } from '../row.ts'
import { faceSubject } from '../subjects/faces.ts'
import { writeLabSet } from '../subjects/hdf5-file.ts'

const IMAGES = 11_547
const RUNS = 2
const MB = 1e6

export const memory: Bench = {
	name: 'memory',
	async run({ folder }) {
		const { name, path, faces, poisoned } = await faceSubject()
		const sets = { valid: faces, test: faces, poisoned }
		const flags: string[] = []
		for (const [flag, set] of Object.entries(sets)) {
			const file = join(folder, `${flag}.h5`)
			await writeLabSet(set, IMAGES, file)
			flags.push(`--${flag}`, file)
		}
		const peaks: number[] = []
		const seconds: number[] = []
		for (let run = 0; run < RUNS; run++) {
			const cost = await runCommand(['prune', path, ...flags, '-o', join(folder, 'run'), '--force', '--quiet'])
			peaks.push(cost.peakBytes / MB)
			seconds.push(cost.seconds)
		}
		return [
			{
				what: '`prune`, whole command, peak memory',
				figure: spreadOf(peaks),
				unit: 'MB',
				must: { atMost: 1000 },
				aim: { atMost: 600 },
				note: `${name} tiled to ${IMAGES} in each of ${Object.keys(sets).join(', ')} (all that the command takes): float64 HDF5 of 716 MB each; fresh processes`,
				raw: { peakMB: peaks, seconds },
			},
		]
	},
}
