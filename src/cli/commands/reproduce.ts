/** `goodnet reproduce`: published results, measured again on the published files. */
import { ReproduceOptions } from '../../contracts/cli-options.ts'
import type { ReproduceResult } from '../../contracts/cli-results.ts'
import { UsageError } from '../../errors.ts'
import { type Comparison, findLabFiles, loadLabNet, runLab } from '../../reproduce/csaw-lab3.ts'
import { defineCommand, type Io } from '../command.ts'
import { OUTPUT_FLAGS } from '../inputs.ts'
import { createProgress } from '../progress.ts'
import { alignColumns } from '../text-table.ts'

const GATE_FAILED = 10

export const reproduce = defineCommand<ReproduceOptions>({
	name: 'reproduce',
	summary: 'run a published experiment and set measured beside published figures',
	arguments: [['<experiment>', 'csaw-lab3: the pruning defense of CSAW HackML 2020']],
	flags: [
		[
			'--data <folder>',
			'where its files are: valid.h5, bd_valid.h5, test.h5, bd_test.h5, bd_net.h5 (or bd_weights.h5)',
		],
		...OUTPUT_FLAGS,
	],
	options: ReproduceOptions,
	example: 'goodnet reproduce csaw-lab3 --data lab3/data',
	async run([experiment = ''], options, io) {
		if (experiment !== 'csaw-lab3') {
			throw new UsageError('unknown-experiment', `no experiment is called ${experiment}; there is csaw-lab3`)
		}
		const progress = createProgress(io, options.quiet)
		const onProgress = (stage: string, done: number, total: number) =>
			progress.update(stage, done, total, stage === 'check files' ? 'files' : 'images')
		const files = await findLabFiles(options.data, { signal: io.signal, onProgress })
		const net = await loadLabNet(files.net)
		const { comparisons } = await runLab(net, files.data, { signal: io.signal, onProgress })
		return report(comparisons, options.json, io)
	},
})

/** Prints measured beside published, row by row. @returns the exit code */
export function report(comparisons: readonly Comparison[], isJson: boolean, io: Pick<Io, 'print'>): number {
	const different = comparisons.filter(({ isWithin }) => !isWithin)
	if (isJson) {
		const result: ReproduceResult = {
			schema: 'goodnet/reproduce@1',
			experiment: 'csaw-lab3',
			comparisons: [...comparisons],
		}
		io.print(JSON.stringify(result, null, 2))
	} else {
		const rows = comparisons.map(({ what, pruned, measured, published, isWithin }) => [
			String(pruned),
			what,
			measured === null ? 'not reached' : String(measured),
			String(published),
			isWithin ? (measured === published ? 'same' : 'within one image') : 'DIFFERENT',
		])
		const closing =
			different.length === 0
				? `All ${comparisons.length} figures agree with the published ones.`
				: `${different.length} of ${comparisons.length} figures differ from the published ones (by more than one image, or in channels).`
		io.print(`${alignColumns([['pruned', 'figure', 'measured', 'published', ''], ...rows])}\n\n${closing}`)
	}
	return different.length === 0 ? 0 : GATE_FAILED
}
