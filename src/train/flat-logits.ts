/** Logits as losses take them. */
import type { Tape } from '../graph/gradient/tape.ts'
import type { Model } from '../model/model.ts'

/** `model`'s logits as `[batch, classes]`, whatever axes of length one they come with. @param name what they are called in the tape's graph */
export function flatLogits(tape: Tape, { values, logits }: Model, name = logits): string {
	return values.get(logits)?.shape?.length === 2 ? name : tape.emit('Flatten', [name])
}
