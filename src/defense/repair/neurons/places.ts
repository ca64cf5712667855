/** The neurons of a net that a defense may mask: channels of normalizations or convolutions, units of hidden dense layers. */
import { UnsupportedError } from '../../../errors.ts'
import type { Model } from '../../../model/model.ts'
import { type PruneLayer, prunableLayers } from '../../prune/layer.ts'
import { convolutionPlaces, normalizationPlaces } from '../../prune/whole-net-places.ts'

/**
 * Channels of the batch normalizations where a net has some, as the authors of ANP do it; else of every convolution, and units of every
 * hidden dense layer.
 *
 * @param method named by the error
 * @throws UnsupportedError `not-applicable`
 */
export function neuronPlaces(model: Model, method: string): readonly PruneLayer[] {
	const normalizations = normalizationPlaces(model)
	if (normalizations.length > 0) return normalizations
	const places = [...convolutionPlaces(model), ...prunableLayers(model).filter(({ isDense }) => isDense)]
	if (places.length > 0) return places
	const { path } = model.source
	const message = `${path}: ${method} needs normalizations, convolutions or hidden dense layers to mask, and this net has none`
	throw new UnsupportedError('not-applicable', message, { path })
}

/** Channels and units of all places together. */
export function neuronCount(places: readonly PruneLayer[]): number {
	return places.reduce((sum, { channels }) => sum + channels, 0)
}
