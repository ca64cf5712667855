/** A step of training, ours against PyTorch on the CPU: forward, backward and the update, batches made ready included. */
import { join } from 'node:path'
import { createModel, nodeRuntime, saveModel, sgd, train } from 'goodnet/node'
import { alternate, ratios } from '../harness/rounds.ts'
import { spreadOf } from '../harness/statistics.ts'
import { findPython, startTraining } from '../peers/torch.ts'
import type { Bench, Row, Settings } from '../row.ts'

const BATCH = 64
const WARM_UP = 2
const SEED = 1

interface TrainingRace {
	readonly name: string
	readonly title: string
	readonly size: { readonly height: number; readonly width: number; readonly channels: number }
	readonly classes: number
	readonly steps: number
	readonly rate: number
	readonly must: number
	readonly aim: number
}

const RACES: readonly TrainingRace[] = [
	{
		...{ name: 'deepid', title: 'face net', size: { height: 55, width: 47, channels: 3 }, classes: 1283 },
		...{ steps: 12, rate: 1e-4, must: 1, aim: 2 },
	},
	{
		...{ name: 'preact-resnet18', title: 'PreActResNet-18 at 32×32', size: { height: 32, width: 32, channels: 3 } },
		...{ classes: 10, steps: 5, rate: 1e-4, must: 0.5, aim: 0.9 },
	},
]

export const training: Bench = {
	name: 'training',
	async run(settings) {
		const rows: Row[] = []
		for (const each of RACES) rows.push(await race(each, settings))
		return rows
	},
}

async function race(each: TrainingRace, { rounds, folder }: Settings): Promise<Row> {
	const { name, title, size, classes, steps, rate, must, aim } = each
	const row = {
		what: `training step, ${title}: PyTorch CPU ÷ ours`,
		unit: '×' as const,
		...{ must: { atLeast: must }, aim: { atLeast: aim } },
	}
	const python = findPython()
	if (python === null) {
		const note = 'Python with torch, h5py and numpy is not installed here (Debian: python3-torch, python3-h5py)'
		return { ...row, figure: null, note, raw: {} }
	}
	const runtime = await nodeRuntime()
	const model = await createModel(name, size, classes, { seed: SEED, runtime })
	const path = join(folder, `${name}.h5`)
	await saveModel(model, path)
	const images = { ...size, ...randomImages(steps * BATCH, size, classes) }
	const { pixels, labels } = images
	const { threads } = runtime
	const peer = await startTraining(python, { name, path, pixels, labels, threads, batch: BATCH, rate, folder })
	const losses = { ours: 0, torch: 0 }
	try {
		const seconds = await alternate(
			{
				ours: async () => {
					const times: number[] = [performance.now()]
					const onProgress = () => times.push(performance.now())
					const options = { epochs: 1, batch: BATCH, optimizer: sgd(), rate, seed: SEED, onProgress }
					const { history } = await train(model, images, options)
					losses.ours = history[0]!.loss
					return spreadOf(times.slice(WARM_UP + 1).map((time, i) => time - times[WARM_UP + i]!)).median / 1000
				},
				torch: async () => {
					const { seconds: step, answer } = await peer.run('train', steps)
					losses.torch = answer[0]!
					return step
				},
			},
			rounds,
		)
		checkLosses(row.what, losses)
		const note = `batches of ${BATCH} random images, SGD with momentum, ${threads} threads, medians of ${steps - WARM_UP} steps; PyTorch ${peer.version}, ${peer.memoryFormat} (the faster); the same first weights, mean losses within 5 %`
		return { ...row, figure: spreadOf(ratios(seconds, 'torch', 'ours')), note, raw: seconds }
	} finally {
		peer.close()
	}
}

/** Numbers that no picture has, but both sides see the same. */
function randomImages(count: number, { height, width, channels }: TrainingRace['size'], classes: number) {
	let state = SEED
	const next = () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
		return state >>> 16
	}
	const pixels = Uint8Array.from({ length: count * height * width * channels }, () => next() & 255)
	return { pixels, labels: Int32Array.from({ length: count }, () => next() % classes), count }
}

/** Batches are drawn in different orders, so losses agree roughly; a race between different nets would not. */
function checkLosses(what: string, { ours, torch }: { readonly ours: number; readonly torch: number }): void {
	if (Math.abs(ours - torch) <= 0.05 * torch) return
	throw new Error(`${what}: mean loss differs: ours ${ours}, PyTorch’s ${torch}`)
}
