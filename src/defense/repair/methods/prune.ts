/** Pruning as `goodnet prune` does it, handed out like any other repair. */
import { ALL_LAYERS, RankName } from '../../../contracts/prune-run.ts'
import { pruneAcross } from '../../prune/across-layers.ts'
import { type Choice, type Curve, DEFAULT_DROPS } from '../../prune/curve.ts'
import { prune as pruneLayer } from '../../prune/prune.ts'
import { pruneUnits } from '../../prune/repaired.ts'
import { defineMethod, NO_FINDINGS, type RepairedPoint } from '../method.ts'

/** The layer that `goodnet prune` takes where none is named. */
const DEFAULT_LAYER = 'default'

export const prune = defineMethod({
	name: 'prune',
	summary:
		'channels that clean images leave idle are zeroed, one net for each drop in accuracy (Liu et al. 2018, arXiv:1805.12185)',
	needs: ['valid'],
	parameters: {
		drops: {
			meaning: 'points of clean accuracy to give up, one net each',
			default: DEFAULT_DROPS,
			low: 0.01,
			high: 100,
		},
		layer: {
			meaning: `layer to prune; ${DEFAULT_LAYER}: the last pooling layer; ${ALL_LAYERS}: one order across layers, by clp, bnp or random`,
			default: DEFAULT_LAYER,
			kind: 'a layer’s name',
		},
		rank: { meaning: 'order of pruning', default: 'mean', choices: RankName.options },
	},
	async repair(model, data, { parameters: { drops, layer, rank: name }, seed, signal, onProgress }) {
		const valid = data.valid! // it needs them
		const rank = RankName.parse(name)
		const shared = { drops, rank, seed, signal, onProgress: tellStages(onProgress) }
		const curve =
			layer === ALL_LAYERS
				? await pruneAcross(model, valid, shared)
				: await pruneLayer(model, valid, { ...shared, layer: layer === DEFAULT_LAYER ? undefined : layer })
		return {
			points: curve.choices.map((choice) => pointOf(curve, choice)),
			findings: { ...NO_FINDINGS, candidates: candidatesOf(curve) },
		}
	},
})

const STAGES = { activations: 'rank channels', valid: 'prune', nets: 'prune' } as const

function tellStages(onProgress: ((stage: string, done: number, total: number) => void) | undefined) {
	const isKnown = (stage: string): stage is keyof typeof STAGES => stage in STAGES
	return (stage: string, done: number, total: number) =>
		onProgress?.(isKnown(stage) ? STAGES[stage] : stage, done, total)
}

function pointOf({ model, layers, order }: Curve, { drop, pruned }: Choice): RepairedPoint {
	const chosenBy = drop === null ? 'the last net before accuracy falls' : `first net ${drop} points below B`
	const net = pruneUnits(model, layers, order.slice(0, pruned))
	return {
		name: drop === null ? 'elbow' : String(drop),
		chosenBy: `${chosenBy}, ${pruned} channels pruned`,
		model: net,
	}
}

/** The nets that were measured on validation images. */
function candidatesOf({ steps }: Curve) {
	const nets = steps.flatMap(({ pruned, valid }) => (valid ? [{ amount: pruned, valid }] : []))
	return { quantity: 'channels pruned', nets }
}
