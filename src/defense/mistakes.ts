/** The usual ways in which a good model is fed wrongly, each with the change that would undo it. */
import type { ImageSet, Layout } from '../data/image-set.ts'
import type { Preprocessing } from '../data/preprocess.ts'
import type { Model } from '../model/model.ts'

export interface Mistake {
	/** What would cure it, as one would say it: `with --scale 1/255`. */
	readonly cure: string
	readonly preprocessing?: Partial<Preprocessing>
	readonly layout?: Layout
	/** Added to every label of the set. */
	readonly labelOffset?: number
}

/** The mistakes that are possible with this model and this set. */
export function usualMistakes({ preprocessing, input }: Model, images: ImageSet): Mistake[] {
	return [
		...rangeMistakes(preprocessing, input.channels),
		...(input.channels === 3 ? [colourMistake(preprocessing)] : []),
		// Of a square image both readings have the right shape.
		...(images.channels > 1 && images.height === images.width ? [layoutMistake(images)] : []),
		{ cure: 'labels counted from zero (subtract 1 from each)', labelOffset: -1 },
		{ cure: 'labels one higher (add 1 to each)', labelOffset: 1 },
	]
}

function rangeMistakes({ scale, mean }: Preprocessing, channels: number): Mistake[] {
	const half = Array<number>(channels).fill(0.5)
	const mistakes: Mistake[] = [
		{ cure: '--scale 255 (the pixels are stored as 0..1)', preprocessing: { scale: 255 } },
		scale === 1
			? { cure: 'with --scale 1/255', preprocessing: { scale: 1 / 255 } }
			: { cure: 'without --scale', preprocessing: { scale: 1 } },
	]
	if (mean) return mistakes
	const centred = { scale: 1 / 255, mean: half, std: half }
	return [...mistakes, { cure: 'with --scale 1/255 --mean 0.5 --std 0.5', preprocessing: centred }]
}

function colourMistake({ channels }: Preprocessing): Mistake {
	const other = channels === 'rgb' ? 'bgr' : 'rgb'
	return { cure: `--colors ${other}`, preprocessing: { channels: other } }
}

function layoutMistake({ layout }: ImageSet): Mistake {
	const other = layout === 'NCHW' ? 'NHWC' : 'NCHW'
	return { cure: `--layout ${other}`, layout: other }
}
