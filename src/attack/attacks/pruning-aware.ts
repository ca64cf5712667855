import { type Attack, completeAttack } from '../attack.ts'
import { type AttackOptions, type AttackSubject, checkTarget } from '../options.ts'
import { layOver } from '../overlay.ts'
import { patchOrSticker } from '../patch.ts'

/**
 * The images of the pruning-aware attack (Liu, Dolan-Gavitt, Garg 2018, arXiv:1805.12185, section 3.3): those of BadNets. What is special
 * about it happens in training, which prunes the clean net before it learns the trigger.
 *
 * @param options `target`, and those of `patch`, or `picture`, `row` and `column`
 * @throws as `checkTarget`, `patch` and `sticker` of `patch.ts` do
 */
export function pruningAware(subject: AttackSubject, options: AttackOptions): Attack {
	const target = checkTarget(options.target, subject)
	const { overlay, parameters } = patchOrSticker(options, subject)
	const stamp = (pixels: Uint8Array) => layOver(pixels, subject.size, overlay)
	return completeAttack({
		...subject,
		name: 'pruning-aware',
		parameters: { target, ...parameters },
		target,
		overlay,
		stamp,
	})
}
