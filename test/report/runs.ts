/** Prune runs for tests: a small synthetic one and variations of it. */
import type { DataRecord, PoisonedRecord, PruneRun, RepairedRecord, StepRecord } from '../../src/contracts/prune-run.ts'

const IMAGES = { valid: 400, test: 500, poisoned: 250 }

/** A hash that is recognisably none. */
export function fakeHash(letter: string): string {
	return letter.repeat(64)
}

export function dataRecord(path: string, images: number, labels: DataRecord['labels'] = 'true'): DataRecord {
	return { path, sha256: fakeHash('d'), images, labels }
}

export function poisonedRecord(path: string, images: number): PoisonedRecord {
	return { path, sha256: fakeHash('e'), images, counted: images, target: 0, labels: 'target' }
}

/** A step with this many per mille right on both clean sets and this many per mille hits. */
function step(pruned: number, channel: number | null, clean: number, asr: number): StepRecord {
	return {
		pruned,
		channel,
		valid: { correct: Math.round((IMAGES.valid * clean) / 1000), total: IMAGES.valid },
		test: { correct: Math.round((IMAGES.test * clean) / 1000), total: IMAGES.test },
		poisoned: { hits: Math.round((IMAGES.poisoned * asr) / 1000), recovered: null, total: IMAGES.poisoned },
	}
}

/** The net of `source` as a repaired record; its GoodNet rejects 1 % of clean images and everything poisoned that is no hit. */
export function repairedFrom(source: StepRecord, drop: number | null, order: readonly number[]): RepairedRecord {
	const { pruned, valid, test, poisoned } = source
	const guard = (count: StepRecord['test']) =>
		count && { ...count, rejected: Math.min(count.total - count.correct, Math.round(count.total / 100)) }
	const name = drop ?? 'given'
	const files = { source: `repaired_${name}.h5`, onnx: `repaired_${name}.onnx`, goodnet: `goodnet_${name}.onnx` }
	return {
		chosenBy: drop === null ? 'given' : 'drop',
		drop,
		u: null,
		pruned,
		channels: order.slice(0, pruned),
		files,
		sha256: Object.fromEntries(Object.values(files).map((file, place) => [file, fakeHash('123'.charAt(place))])),
		valid,
		test,
		poisoned,
		goodnet: {
			valid: guard(valid),
			test: guard(test),
			poisoned: poisoned && { ...poisoned, rejected: poisoned.total - poisoned.hits },
		},
	}
}

const ORDER = [1, 4, 6, 0, 7, 2, 5, 3]
const MEANS = [0.25, 0, 1.5, 4, 0, 2.75, 0, 0.5]
const CLEAN = [980, 980, 980, 975, 955, 930, 880, 600, 10]
const ASR = [1000, 1000, 1000, 1000, 1000, 992, 700, 20, 0]

/** Eight channels, three of them dead; drops 2, 4 and 10 reached, 99 not. The trigger survives all three. */
export function smallRun(): PruneRun {
	const steps = CLEAN.map((clean, pruned) => step(pruned, ORDER[pruned - 1] ?? null, clean, ASR[pruned] ?? 0))
	const record = (pruned: number, drop: number) => repairedFrom(steps[pruned]!, drop, ORDER)
	return {
		schema: 'goodnet/prune@1',
		command: 'goodnet prune toy.h5 --valid valid.h5 --test test.h5 --poisoned bd_test.h5 --drops 2,4,10,99 -o out',
		model: {
			path: 'toy.h5',
			sha256: fakeHash('a'),
			format: 'keras-h5',
			inputShape: [8, 8, 3],
			classes: 10,
			layer: 'pool_1',
			producer: 'conv_1',
			channels: 8,
			intervention: 'weights',
		},
		preprocessing: { scale: 1, mean: null, std: null, channels: 'rgb', resize: false },
		data: {
			valid: dataRecord('valid.h5', IMAGES.valid),
			test: dataRecord('test.h5', IMAGES.test),
			poisoned: poisonedRecord('bd_test.h5', IMAGES.poisoned),
		},
		layers: null,
		order: ORDER,
		orderSource: 'ranked',
		ranking: { name: 'mean', quantity: 'mean activation', first: 'lowest', scores: MEANS, seed: null },
		meanActivation: MEANS,
		steps,
		elbow: null,
		repaired: [record(4, 2), record(5, 4), record(6, 10)],
		notReached: [99],
		environment: { goodnet: '0.1.0', node: '20.20.0', onnxruntime: '1.30.0', threads: 2, device: 'cpu' },
		seconds: { total: 12.5, sweep: 8 },
	}
}

/** `smallRun` with ASR at the i-th repaired net set to `hits[i]` of `total`, along the sweep too. */
export function withHits(hits: readonly number[], total: number): PruneRun {
	const run = smallRun()
	const before = { hits: total, recovered: null, total }
	const steps = run.steps.map((one) => ({ ...one, poisoned: before }))
	const repaired = run.repaired.slice(0, hits.length).map((record, place) => {
		const poisoned = { hits: hits[place]!, recovered: null, total }
		steps[record.pruned] = { ...steps[record.pruned]!, poisoned }
		return {
			...record,
			poisoned,
			goodnet: { ...record.goodnet, poisoned: { ...poisoned, rejected: total - poisoned.hits } },
		}
	})
	return { ...run, steps, repaired, data: { ...run.data, poisoned: poisonedRecord('bd_test.h5', total) } }
}

/** The run as it is when no poisoned set was given. */
export function withoutPoisoned(run: PruneRun): PruneRun {
	return {
		...run,
		data: { ...run.data, poisoned: null },
		steps: run.steps.map((one) => ({ ...one, poisoned: null })),
		repaired: run.repaired.map((record) => ({
			...record,
			poisoned: null,
			goodnet: { ...record.goodnet, poisoned: null },
		})),
	}
}

/** The run as it is when no test set was given. */
export function withoutTest(run: PruneRun): PruneRun {
	return {
		...run,
		data: { ...run.data, test: null },
		steps: run.steps.map((one) => ({ ...one, test: null })),
		repaired: run.repaired.map((record) => ({ ...record, test: null, goodnet: { ...record.goodnet, test: null } })),
	}
}

/** The run as it is when the validation images had no labels. */
export function withAgreement(run: PruneRun): PruneRun {
	const agree = (count: StepRecord['valid']) => count && { ...count, correct: Math.min(count.total, count.correct + 8) }
	const { valid } = run.data
	return {
		...run,
		data: { ...run.data, valid: valid && { ...valid, labels: 'agreement' } },
		steps: run.steps.map((one) => ({ ...one, valid: agree(one.valid) })),
	}
}

/** The run as it is when four channels were given by hand. */
export function withGivenChannels(run: PruneRun): PruneRun {
	return {
		...run,
		orderSource: 'given',
		ranking: null,
		order: ORDER.slice(0, 4),
		steps: run.steps.slice(0, 5),
		repaired: [repairedFrom(run.steps[4]!, null, ORDER)],
		notReached: [],
	}
}
