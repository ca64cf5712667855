import { type Attack, completeAttack } from '../attack.ts'
import type { AttackSubject } from '../options.ts'

/** No attack: the training set as it is. A net so trained is the clean twin that every defense is judged on, too. */
export function none(subject: AttackSubject): Attack {
	return completeAttack({ ...subject, name: 'none', parameters: {}, stamp: (pixels) => pixels.slice() })
}
