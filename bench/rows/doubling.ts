/** Twice the images: twice the time, no more memory. */
import { join } from 'node:path'
import { runCommand } from '../harness/command.ts'
import { alternate, ratios } from '../harness/rounds.ts'
import { spreadOf } from '../harness/statistics.ts'
import type { Bench } from '../row.ts'
import { faceSubject } from '../subjects/faces.ts'
import { writeLabSet } from '../subjects/hdf5-file.ts'

/** What twice as many images *add* is compared, so that start-up, which both have, does not count. */
const SIZES = [4000, 8000, 16_000] as const

export const doubling: Bench = {
	name: 'doubling',
	async run({ rounds, folder }) {
		const { name, path, faces } = await faceSubject()
		const peaks = new Map<number, number[]>()
		const job = async (count: number) => {
			const file = join(folder, `valid-${count}.h5`)
			await writeLabSet(faces, count, file)
			return async () => {
				const cost = await runCommand(pruneOn(path, file, folder))
				peaks.set(count, [...(peaks.get(count) ?? []), cost.peakBytes])
				return cost.seconds
			}
		}
		const [quarter, half, whole] = SIZES
		const jobs = { quarter: await job(quarter), half: await job(half), whole: await job(whole) }
		const seconds = await alternate(jobs, rounds)
		const added = {
			half: seconds.half.map((value, round) => value - seconds.quarter[round]!),
			whole: seconds.whole.map((value, round) => value - seconds.half[round]!),
		}
		const memory = { half: peaks.get(half)!, whole: peaks.get(whole)! }
		const note = `${name} tiled to ${SIZES.join(', ')}, float64 HDF5; \`prune --valid\`, fresh processes; time that ${whole - half} more images take ÷ time that ${half - quarter} more take`
		return [
			{
				what: 'time when images double',
				figure: spreadOf(ratios(added, 'whole', 'half')),
				unit: '×',
				must: { atLeast: 1.8, atMost: 2.2 },
				aim: null,
				note,
				raw: seconds,
			},
			{
				what: 'peak memory when images double',
				figure: spreadOf(ratios(memory, 'whole', 'half')),
				unit: '×',
				must: { atMost: 1.1 },
				aim: null,
				note,
				raw: memory,
			},
		]
	},
}

function pruneOn(model: string, file: string, folder: string): string[] {
	return ['prune', model, '--valid', file, '-o', join(folder, 'run'), '--force', '--quiet']
}
