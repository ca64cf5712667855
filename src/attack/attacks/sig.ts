import { addPattern, planePattern } from '../additive.ts'
import { type Attack, completeAttack } from '../attack.ts'
import { type AttackOptions, type AttackSubject, checkNumber, checkTarget } from '../options.ts'

/**
 * SIG (Barni, Kallas, Tondi 2019, arXiv:1902.11237), its horizontal sinusoid: a wave of `frequency` waves across the width is added to every row,
 * `v(i, j) = Δ·sin(2πjf / width)`, columns `j` counted from 0. As in the paper only images of the target class are poisoned and no label
 * is changed, so at most that class's share of the set can be; with `dirtyLabel` it poisons and relabels the other classes.
 *
 * @param options `target`; `amplitude`, the paper's Δ (default 20); `frequency` (default 6); `dirtyLabel` (default false)
 * @throws as `checkTarget` does; UsageError `bad-option`
 */
export function sig(subject: AttackSubject, options: AttackOptions): Attack {
	const target = checkTarget(options.target, subject)
	const amplitude = checkNumber('amplitude', options.amplitude ?? 20, { min: 1, max: 255 })
	const frequency = checkNumber('frequency', options.frequency ?? 6, { min: 0.1, max: 1024 })
	const { dirtyLabel = false } = options
	const { size } = subject
	const wave = planePattern(size, (_, j) => amplitude * Math.sin((2 * Math.PI * j * frequency) / size.width))
	return completeAttack({
		...subject,
		name: 'sig',
		parameters: { target, amplitude, frequency, dirtyLabel },
		target,
		stamp: (pixels) => addPattern(pixels, wave),
		isPoisonable: (label) => (label === target) !== dirtyLabel,
	})
}
