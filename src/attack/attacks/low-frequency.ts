import type { ImageSize } from '../../data/image-set.ts'
import { createRandom } from '../../random.ts'
import { addPattern } from '../additive.ts'
import { type Attack, completeAttack } from '../attack.ts'
import { inverseDct } from '../cosine.ts'
import { type AttackOptions, type AttackSubject, checkNumber, checkSeed, checkTarget } from '../options.ts'

/** Names the random stream of smooth patterns. */
const SMOOTH_STREAM = 12

/**
 * A smooth trigger: an added pattern without high frequencies. Zeng et al. 2021 (arXiv:2104.03413, smooth triggers) ask for a trigger that
 * passes a low-pass filter unchanged and find one by optimising against a trained net; here it is drawn at random under the same
 * constraint, so that no net is needed: in each colour channel normal DCT coefficients for the slowest `cutoff` waves of each direction,
 * the mean level left out, scaled so that the greatest change is `amplitude`. This is not their optimised trigger.
 *
 * @param options `target`; `amplitude` in levels (default 20); `cutoff` (default 4); `triggerSeed` (default 0)
 * @throws as `checkTarget` does; UsageError `bad-option`
 */
export function lowFrequency(subject: AttackSubject, options: AttackOptions): Attack {
	const target = checkTarget(options.target, subject)
	const amplitude = checkNumber('amplitude', options.amplitude ?? 20, { min: 1, max: 255 })
	const { size } = subject
	const largest = Math.min(size.height, size.width)
	const cutoff = checkNumber('cutoff', options.cutoff ?? Math.min(4, largest), { min: 2, max: largest, isWhole: true })
	const triggerSeed = checkSeed(options.triggerSeed ?? 0)
	const pattern = smoothPattern(size, { amplitude, cutoff, seed: triggerSeed })
	return completeAttack({
		...subject,
		name: 'low-frequency',
		parameters: { target, amplitude, cutoff, triggerSeed },
		target,
		stamp: (pixels) => addPattern(pixels, pattern),
	})
}

interface SmoothOptions {
	readonly amplitude: number
	readonly cutoff: number
	readonly seed: number
}

/** `[height, width, channels]`. */
function smoothPattern(size: ImageSize, { amplitude, cutoff, seed }: SmoothOptions): Float64Array {
	const { height, width, channels } = size
	const pattern = new Float64Array(height * width * channels)
	for (let c = 0; c < channels; c++) {
		const random = createRandom(seed, SMOOTH_STREAM, c)
		// The sum of twelve even numbers is nearly normal, and the same on every machine.
		const normal = () => Array.from({ length: 12 }, random.unit).reduce((sum, value) => sum + value, -6)
		const coefficients = Float64Array.from({ length: cutoff * cutoff }, (_, i) => (i === 0 ? 0 : normal()))
		for (const [i, value] of inverseDct(coefficients, cutoff, size).entries()) pattern[i * channels + c] = value
	}
	const greatest = pattern.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
	return pattern.map((value) => (value / greatest) * amplitude)
}
