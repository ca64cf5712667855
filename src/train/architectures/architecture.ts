/** What an architecture is: a net's layers for images of any size, and what its pixels must be. */
import { type Preprocessing, RAW } from '../../data/preprocess.ts'
import type { Feature, Net } from './net.ts'

/** A kind of net that can be made and trained. */
export interface Architecture {
	/** The smallest height and width: below it a map would vanish, or the net's last maps would be padding alone. */
	readonly smallest: number
	/**
	 * How raw pixels 0..255 become its input. It stands outside the net, since the layer that would do it (`Rescaling`) is younger than
	 * Keras 2.3. A file that goodnet makes says it in an attribute.
	 */
	readonly preprocessing: Preprocessing
	/** Adds the layers up to the class probabilities `[classes]`, from `net.input` on. */
	readonly build: (net: Net, classes: number) => Feature
}

/** Pixels as 0..1. */
export const UNIT_PIXELS: Preprocessing = { ...RAW, scale: 1 / 255 }
