/** Repair runs for tests: a small synthetic one and variations of it. */
import type { NetCounts, RepairedNetRecord, RepairRun } from '../../src/contracts/repair-run.ts'
import { dataRecord, fakeHash, poisonedRecord } from './runs.ts'

/** Counts of a net with so many right of 200 validation and 500 test images, and so many hits of 250. */
export function counts(valid: number, test: number, hits: number, recovered = 0): NetCounts {
	return {
		valid: { correct: valid, total: 200 },
		test: { correct: test, total: 500 },
		poisoned: { hits, recovered, total: 250 },
	}
}

/** A repaired net of those counts; its GoodNet is right where both are, on all but ten of its test images. */
export function repairedNet(name: string, chosenBy: string, after: NetCounts): RepairedNetRecord {
	const suffix = name === '' ? '' : `_${name}`
	const files = { source: `repaired${suffix}.h5`, onnx: `repaired${suffix}.onnx`, goodnet: `goodnet${suffix}.onnx` }
	const { valid, test, poisoned } = after
	return {
		name,
		chosenBy,
		files,
		sha256: Object.fromEntries(Object.values(files).map((file, i) => [file, fakeHash('123'.charAt(i))])),
		after,
		goodnet: {
			valid: valid && { ...valid, rejected: 4 },
			test: test && { correct: test.correct - 10, total: test.total, rejected: 25 },
			poisoned: poisoned && { ...poisoned, recovered: 0, rejected: poisoned.total - poisoned.hits },
		},
	}
}

/** A net of ten classes that fine-tuning repaired, and its clean twin. */
export function repairRun(): RepairRun {
	return {
		schema: 'goodnet/repair@1',
		command: 'goodnet repair toy.h5 --data clean.npz --test test.npz --poisoned bd.npz --twin twin.h5 -o out',
		model: { path: 'toy.h5', sha256: fakeHash('a'), format: 'keras-h5', inputShape: [8, 8, 3], classes: 10 },
		preprocessing: { scale: 1, mean: null, std: null, channels: 'rgb', resize: false },
		data: {
			tuning: dataRecord('800 of clean.npz', 800),
			valid: dataRecord('200 of clean.npz', 200),
			unlabeled: null,
			test: dataRecord('test.npz', 500),
			poisoned: poisonedRecord('bd.npz', 250),
		},
		method: { name: 'fine-tuning', parameters: { epochs: 3, lr: 0.01 }, seed: 4, isOracle: false },
		before: counts(190, 480, 250),
		repaired: [repairedNet('', 'after 3 epochs', counts(188, 475, 2, 230))],
		findings: {
			history: [1, 2, 3].map((epoch) => ({
				epoch,
				loss: 1 / epoch,
				train: { correct: 700 + 20 * epoch, total: 800 },
				valid: { correct: 180 + 2 * epoch, total: 200 },
			})),
			suspects: null,
			candidates: null,
		},
		twin: {
			path: 'twin.h5',
			sha256: fakeHash('b'),
			before: counts(192, 485, 3, 240),
			repaired: [{ ...repairedNet('', 'after 3 epochs', counts(189, 478, 2, 238)), files: null, sha256: {} }],
			findings: { history: null, suspects: null, candidates: null },
		},
		environment: { goodnet: '0.1.0', node: '20.20.0', onnxruntime: '1.30.0', threads: 2, device: 'cpu' },
		seconds: { total: 12.5, repair: 8 },
	}
}

/** The run with its only net, and the GoodNet of it, answering so. */
export function withAnswers(after: NetCounts, goodnet: RepairedNetRecord['goodnet']): RepairRun {
	const run = repairRun()
	return { ...run, repaired: [{ ...run.repaired[0]!, after, goodnet }] }
}

/** A run of a method that hands out several nets, suspects labels, and was told the target. */
export function searchingRun(): RepairRun {
	const run = repairRun()
	return {
		...run,
		method: { name: 'trigger-pruning', parameters: { drops: [2, 4] }, seed: 0, isOracle: true },
		repaired: [
			repairedNet('2', 'first net 2 points below B', counts(186, 470, 240, 5)),
			repairedNet('4', 'first net 4 points below B', counts(182, 460, 1, 200)),
		],
		findings: {
			history: null,
			suspects: {
				quantity: 'anomaly index of the reversed trigger’s L1 norm',
				labels: [
					{ label: 0, score: 4.25, isSuspect: true },
					{ label: 7, score: 1.5, isSuspect: false },
				],
			},
			candidates: {
				quantity: 'units pruned',
				nets: [0, 4, 8].map((amount) => ({ amount, valid: { correct: 190 - amount, total: 200 } })),
			},
		},
		twin: null,
	}
}
