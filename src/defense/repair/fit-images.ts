/** Pictures in the size that a net takes, so that a trigger of that size can be put onto them. */
import { imageAt } from '../../data/labelled.ts'
import { resizeBilinear } from '../../data/resize.ts'
import type { Model } from '../../model/model.ts'
import type { UnlabeledImages } from './method.ts'

/**
 * `images` as they are where they have the size of the net's input or may not be resized (then the net refuses them by itself); else resized.
 */
export function fitImages<Images extends UnlabeledImages>(images: Images, { input, preprocessing }: Model): Images {
	const { height, width } = input
	const isFit = images.height === height && images.width === width
	if (isFit || !preprocessing.resize) return images
	const length = height * width * images.channels
	const pixels = new Uint8Array(images.count * length)
	for (let i = 0; i < images.count; i++) {
		pixels.set(resizeBilinear(imageAt(images.pixels, i, images), images, input, images.channels), i * length)
	}
	return { ...images, height, width, pixels }
}
