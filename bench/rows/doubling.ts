/** Twice the images: twice the time beyond start-up, no more memory. */
import { join } from 'node:path'
import { runCommand } from '../harness/command.ts'
import { alternate, ratios } from '../harness/rounds.ts'
import { spreadOf } from '../harness/statistics.ts'
import type { Bench } from '../row.ts'
import { faceSubject } from '../subjects/faces.ts'
import { writeLabSet } from '../subjects/hdf5-file.ts'

/** One batch of faces: what the command takes before images begin to count. */
const START_UP = 52
/** Large enough that start-up, some 3 seconds with the report and its files, is no more than half of either. */
const SIZES = [8000, 16_000] as const

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
		const [half, whole] = SIZES
		const jobs = { startUp: await job(START_UP), half: await job(half), whole: await job(whole) }
		const seconds = await alternate(jobs, rounds)
		const beyond = {
			half: seconds.half.map((value, round) => value - seconds.startUp[round]!),
			whole: seconds.whole.map((value, round) => value - seconds.startUp[round]!),
		}
		const memory = { half: peaks.get(half)!, whole: peaks.get(whole)! }
		const note = `${name} tiled to ${half} and ${whole}, float64 HDF5; \`prune --valid\`, fresh processes; start-up is the same command on ${START_UP}`
		return [
			{
				what: 'time when images double, beyond start-up',
				figure: spreadOf(ratios(beyond, 'whole', 'half')),
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
