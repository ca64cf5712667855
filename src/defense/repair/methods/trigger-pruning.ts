/** Trigger-guided pruning: units of one layer that a reversed trigger excites are silenced, as far as clean accuracy allows. */
import type { ImageSet } from '../../../data/image-set.ts'
import { pickImages } from '../../../data/labelled.ts'
import { memoryImages } from '../../../data/memory.ts'
import { UnsupportedError } from '../../../errors.ts'
import type { Model } from '../../../model/model.ts'
import type { TrainingImages } from '../../../train/batches.ts'
import { invertTrigger } from '../../invert/invert-trigger.ts'
import { stampTrigger, type Trigger } from '../../invert/trigger.ts'
import { type PruneLayer, prunableLayers } from '../../prune/layer.ts'
import { pruneChannels } from '../../prune/repaired.ts'
import { fitImages } from '../fit-images.ts'
import { defineMethod, NO_FINDINGS, type RepairContext } from '../method.ts'
import type { ParameterTable } from '../parameters.ts'
import { isLabelTold, LABEL_PARAMETERS, leftAlone, suspectedLabels } from '../suspected.ts'
import { allowedPrefix, countPrefixes, orderByTrigger } from '../triggered-units.ts'

/** Images by which units are ranked and layers are compared. */
const SAMPLE = 200
/** Of one layer at most this many units are tried while layers are compared, and this share of them in the end. */
const MAX_TRIED = 32
const MAX_SHARE = 0.5
/** Layers that are compared, the last ones of the net: what the trigger means stands there, and the net behind them is short. */
const MAX_LAYERS = 8

const PARAMETERS = {
	...LABEL_PARAMETERS,
	'invert-steps': { meaning: 'steps of the inversion', default: 300, low: 1, high: 100_000, isWhole: true },
	layer: {
		meaning:
			'which layer: its number in the list of goodnet inspect, from 0; -1: the one where the reversed trigger fails most',
		default: -1,
		low: -1,
		high: 1e6,
		isWhole: true,
	},
	'max-drop': { meaning: 'points of clean validation accuracy that may be lost', default: 2, low: 0, high: 100 },
} as const satisfies ParameterTable

export const triggerPruning = defineMethod({
	name: 'trigger-pruning',
	summary:
		'silences the units that a reversed trigger excites (ranking of Neural Cleanse, Wang et al. 2019, section VI.A)',
	needs: ['tuning', 'valid'],
	parameters: PARAMETERS,
	isOracle: isLabelTold,
	async repair(model, data, context) {
		const { parameters, seed, signal, onProgress } = context
		const layers = layersFor(model, parameters.layer)
		const tuning = fitImages(data.tuning!, model)
		const { labels, findings } = await suspectedLabels(model, tuning, context)
		const found = { ...NO_FINDINGS, suspects: findings }
		const [target] = labels
		if (target === undefined) return leftAlone(model, found)
		const trigger = await invertTrigger(model, tuning, {
			...{ label: target, seed, signal, steps: parameters['invert-steps'] },
			onProgress: (done, total) => onProgress?.(`invert label ${target}`, done, total),
		})
		const { layer, order } = await bestLayer(model, layers, tuning, { trigger, target, context })
		const tried = order.slice(0, Math.ceil(MAX_SHARE * order.length))
		const sets = { clean: data.valid!, triggered: null, target }
		const { clean } = await countPrefixes(model, layer, tried, sets, { signal })
		const pruned = allowedPrefix(clean, parameters['max-drop'])
		const chosenBy = `${pruned} of ${order.length} units of ${layer.name}: the most that lose at most ${parameters['max-drop']} points on clean validation images`
		const nets = clean.slice(0, pruned + 2).map((valid, amount) => ({ amount, valid }))
		return {
			points: [{ name: '', chosenBy, model: pruneChannels(model, layer, order.slice(0, pruned)) }],
			findings: { ...found, candidates: { quantity: `units of ${layer.name} silenced`, nets } },
		}
	},
})

/** @throws UnsupportedError `not-applicable` */
function layersFor(model: Model, number: number): readonly PruneLayer[] {
	const all = prunableLayers(model)
	const layers = number === -1 ? all.slice(-MAX_LAYERS) : all.slice(number, number + 1)
	if (layers.length > 0) return layers
	const { path } = model.source
	const message = `${path}: trigger-pruning needs a layer to prune (see goodnet inspect), and this net has ${all.length === 0 ? 'none' : `layers 0..${all.length - 1}, not ${number}`}`
	throw new UnsupportedError('not-applicable', message, { path })
}

interface Search {
	readonly trigger: Trigger
	readonly target: number
	readonly context: RepairContext<typeof PARAMETERS>
}

/**
 * The layer whose pruning, as far as clean accuracy allows, makes the reversed trigger fail most; of equals the later one. Judged on tuning images,
 * so that validation images choose how much is pruned, and nothing else.
 */
async function bestLayer(
	model: Model,
	layers: readonly PruneLayer[],
	tuning: TrainingImages,
	{ trigger, target, context: { parameters, signal, onProgress } }: Search,
): Promise<{ readonly layer: PruneLayer; readonly order: readonly number[] }> {
	const step = Math.max(1, tuning.count / SAMPLE)
	const picked = Array.from({ length: Math.min(SAMPLE, tuning.count) }, (_, i) => Math.floor(i * step))
	const sample = { ...tuning, ...pickImages(tuning, tuning, picked) }
	const asSet = (pixels: Uint8Array): ImageSet =>
		memoryImages({ ...sample, path: 'tuning images', pixels, layout: 'NHWC', classNames: null })
	const clean = asSet(sample.pixels)
	const triggered = asSet(stampTrigger(sample.pixels, trigger))
	const orders = await orderByTrigger(model, layers, clean, triggered, { signal })
	let best = { layer: layers[0]!, order: orders[0]!, rate: Number.POSITIVE_INFINITY }
	for (const [i, layer] of layers.entries()) {
		const order = orders[i]!
		const limit = Math.min(MAX_TRIED, Math.ceil(MAX_SHARE * order.length))
		const sets = { clean, triggered, target }
		const counts = await countPrefixes(model, layer, order.slice(0, limit), sets, { signal })
		const { hits, total } = counts.triggered[allowedPrefix(counts.clean, parameters['max-drop'])]!
		if (hits / total <= best.rate) best = { layer, order, rate: hits / total }
		onProgress?.('layers', i + 1, layers.length)
	}
	return best
}
