/** The journal of a run that is under way: what `--resume` goes on from. */
import { z } from 'zod'

/** What a run is, so that a journal is never taken for another run's. Values are plain text or JSON. */
export const RunIdentity = z.record(z.string(), z.string())

/** How far one stage has come: images (or nets) done, and the numbers that were added up on the way. */
export const Checkpoint = z.object({ done: z.number().int().nonnegative(), state: z.array(z.number()) })

export const Journal = z.object({
	schema: z.literal('goodnet/journal@1'),
	/** The command line that began the run. */
	command: z.string(),
	identity: RunIdentity,
	/** By stage. */
	checkpoints: z.record(z.string(), Checkpoint),
})

export type RunIdentity = z.infer<typeof RunIdentity>
export type Checkpoint = z.infer<typeof Checkpoint>
export type Journal = z.infer<typeof Journal>
