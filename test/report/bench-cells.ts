/** Cells of a bench with figures that are easy to check by hand. */
import type { DefenseCell } from '../../src/contracts/defense-cell.ts'

type Outcome = DefenseCell['outcome']
type Point = Extract<Outcome, { status: 'done' }>['repaired'][number]

export interface CellFacts {
	readonly net: string
	readonly method: string
	readonly seed?: number
	readonly group?: string
	readonly note?: string
	readonly isBackdoored?: boolean
	readonly isOracle?: boolean
	readonly outcome: Outcome
	readonly seconds?: number
}

export function cell({
	net,
	method,
	seed = 0,
	isBackdoored = true,
	isOracle = false,
	...facts
}: CellFacts): DefenseCell {
	const { group = null, note = null, outcome, seconds = 10 } = facts
	const none = { data: null, tuning: null, valid: null, unlabeled: null, test: null, poisoned: null }
	return {
		schema: 'goodnet/defense-cell@1',
		subject: { name: net, group, note, isBackdoored },
		method,
		isOracle,
		identity: {
			goodnet: '0.1.0',
			model: '00',
			preprocessing: { scale: 1, mean: null, std: null, channels: 'rgb', resize: false },
			sets: none,
			share: 0.2,
			target: 0,
			method: 'fine-tuning',
			parameters: {},
			seed,
		},
		images: none,
		outcome,
		environment: { goodnet: '0.1.0', node: 'v20', onnxruntime: 'onnxruntime-node 1.30.0', threads: 1, device: 'cpu' },
		seconds,
	}
}

/** Of 1,000 clean images so many right, of 500 triggered ones so many hits and recovered. */
export function counts(correct: number, hits: number, recovered: number | null = 0) {
	return { valid: null, test: { correct, total: 1000 }, poisoned: { hits, recovered, total: 500 } }
}

/** A net of 900 right and 500 hits, repaired: one net for each entry. */
export function done(...points: readonly { name?: string; after: Point['after'] }[]): Outcome {
	const repaired = points.map(({ name = '', after }) => ({
		name,
		chosenBy: 'x',
		after,
		goodnet: {
			valid: null,
			test: { correct: 880, rejected: 30, total: 1000 },
			poisoned: { hits: 20, recovered: 0, rejected: 470, total: 500 },
		},
	}))
	return { status: 'done', before: counts(900, 500), repaired }
}

export const notApplicable: Outcome = {
	status: 'not-applicable',
	code: 'not-applicable',
	reason: 'net.onnx: anp needs | a layer,\nand this net has none',
}
export const failed: Outcome = { status: 'failed', code: 'diverged', reason: 'training diverged' }

/** Two backdoored nets of two groups and an honest one; three methods and an oracle. */
export const BENCH: readonly DefenseCell[] = [
	cell({
		net: 'a',
		group: 'made by others',
		note: 'a square',
		method: 'ft',
		outcome: done({ after: counts(890, 50, 400) }),
	}),
	cell({
		net: 'a',
		group: 'made by others',
		method: 'ft',
		seed: 1,
		outcome: done({ after: counts(880, 0, 450) }),
		seconds: 20,
	}),
	cell({
		...{ net: 'a', group: 'made by others', method: 'prune' },
		outcome: done({ name: '2', after: counts(880, 500) }, { name: '10', after: counts(800, 250, 200) }),
	}),
	cell({ net: 'a', group: 'made by others', method: 'anp', outcome: notApplicable }),
	cell({
		net: 'a',
		group: 'made by others',
		method: 'told',
		isOracle: true,
		outcome: done({ after: counts(900, 0, 480) }),
	}),
	cell({ net: 'b', group: 'made here', method: 'ft', outcome: done({ after: counts(910, 100, 300) }) }),
	cell({ net: 'b', group: 'made here', method: 'prune', outcome: done({ name: '2', after: counts(880, 490) }) }),
	cell({ net: 'b', group: 'made here', method: 'anp', outcome: failed }),
	cell({
		...{ net: 'honest', group: 'made here', isBackdoored: false, method: 'ft' },
		outcome: {
			status: 'done',
			before: { valid: null, test: { correct: 900, total: 1000 }, poisoned: null },
			repaired: [
				{
					name: '',
					chosenBy: 'x',
					after: { valid: null, test: { correct: 895, total: 1000 }, poisoned: null },
					goodnet: { valid: null, test: { correct: 890, rejected: 9, total: 1000 }, poisoned: null },
				},
			],
		},
	}),
]
