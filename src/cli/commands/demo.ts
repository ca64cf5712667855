/** `goodnet demo`: the whole story on the embedded example, with nothing to download. */
import { DemoOptions } from '../../contracts/cli-options.ts'
import { demoImages, demoNetPath } from '../../demo/demo.ts'
import { loadModel } from '../../model/load.ts'
import { checkOutput } from '../../report/output-folder.ts'
import { startClock } from '../clock.ts'
import { defineCommand } from '../command.ts'
import { OUTPUT_FLAGS } from '../inputs.ts'
import { createProgress } from '../progress.ts'
import { finishRun, runSweep } from '../prune-job.ts'

/** As the lab's table, and one far drop at which the trigger is gone. */
const DEMO_DROPS = [2, 4, 10, 30]

export const demo = defineCommand<DemoOptions>({
	name: 'demo',
	summary: 'repair and guard a backdoored face net that comes with goodnet',
	arguments: [],
	flags: [
		['--drops <list>', `points of clean accuracy to give up, one net each (default: ${DEMO_DROPS})`],
		['-o, --output <folder>', 'where the results go', 'goodnet-demo'],
		['--force', 'overwrite an earlier run in that folder'],
		...OUTPUT_FLAGS,
	],
	options: DemoOptions,
	example: 'goodnet demo -o my-first-run',
	async run(_, options, io) {
		await checkOutput(options.output, options)
		const clock = startClock(io)
		const progress = createProgress(io, options.quiet)
		const model = await loadModel(demoNetPath)
		const data = { valid: demoImages('valid'), test: demoImages('test'), poisoned: demoImages('poisoned') }
		clock.lap('load')
		const job = { model, data, options: { drops: options.drops ?? DEMO_DROPS } }
		const { sweep, run } = await runSweep(job, false, io, progress, clock)
		return finishRun({ model, layers: sweep.layers, run }, options, io, progress)
	},
})
