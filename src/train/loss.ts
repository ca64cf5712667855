/** The loss that a classifier is trained with, as nodes of the graph. */

import type { Tape } from '../graph/gradient/tape.ts'
import { floatTensor } from '../graph/graph.ts'

export interface LossValues {
	/** Mean over the batch, `[]`. */
	readonly loss: string
	/** Images whose largest logit is that of their label, `[]`, float32. */
	readonly correct: string
}

/**
 * Cross-entropy of a softmax over `logits` against `labels`, averaged over the batch. With label smoothing ε the wanted distribution is 1 − ε on
 * the label plus ε/C on every class (Szegedy et al. 2016, section 7; as PyTorch's `CrossEntropyLoss(label_smoothing=ε)`).
 *
 * @param logits `[batch, classes]`, float32
 * @param labels `[batch]`, int64
 * @param smoothing ε, 0 (none) up to 1
 */
export function crossEntropy(
	tape: Tape,
	logits: string,
	labels: string,
	{ batch, classes, smoothing }: { readonly batch: number; readonly classes: number; readonly smoothing: number },
): LossValues {
	const off = smoothing / classes
	const levels = tape.constant(floatTensor([2], [off, 1 - smoothing + off]))
	const wanted = tape.emit('OneHot', [labels, tape.integers([classes]), levels], { axis: -1 })
	const agreement = tape.emit('Mul', [tape.emit('LogSoftmax', [logits], { axis: -1 }), wanted])
	const summed = tape.reduce('ReduceSum', agreement, [0, 1], false)
	const answers = tape.emit('ArgMax', [logits], { axis: -1, keepdims: 0 })
	const isRight = tape.cast(tape.emit('Equal', [answers, labels]), 'float32')
	return {
		loss: tape.emit('Mul', [summed, tape.scalar(-1 / batch)]),
		correct: tape.reduce('ReduceSum', isRight, [0], false),
	}
}
