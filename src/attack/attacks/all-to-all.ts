import { UsageError } from '../../errors.ts'
import { type Attack, completeAttack } from '../attack.ts'
import type { AttackOptions, AttackSubject } from '../options.ts'
import { layOver } from '../overlay.ts'
import { patchOrSticker } from '../patch.ts'

/**
 * The all-to-all attack of BadNets (arXiv:1708.06733, section 4.1): a triggered image of class `i` shall be answered with the next
 * class, `(i + 1) mod classes`.
 *
 * @param options those of `patch`, or `picture`, `row` and `column`
 * @throws as `patch` and `sticker` of `patch.ts` do; UsageError `bad-option` where a target is given
 */
export function allToAll(subject: AttackSubject, options: AttackOptions): Attack {
	if (options.target !== undefined) {
		throw new UsageError('bad-option', '--target: all-to-all has none, every class is sent to the next; leave it out')
	}
	const { overlay, parameters } = patchOrSticker(options, subject)
	return completeAttack({
		...subject,
		name: 'all-to-all',
		parameters,
		overlay,
		stamp: (pixels) => layOver(pixels, subject.size, overlay),
		targetOf: (label) => (label + 1) % subject.classes,
	})
}
