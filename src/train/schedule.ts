/** Learning rates over the course of a run, as factors on the rate that was asked for. */
import type { ScheduleName } from '../contracts/training.ts'

/** Factor on the learning rate at step `step` of `steps`, counted from 0. */
export type Schedule = (step: number, steps: number) => number

const SCHEDULE_OF: Readonly<Record<ScheduleName, Schedule>> = {
	constant: () => 1,
	/** Half a cosine from 1 to 0, without restarts (Loshchilov & Hutter 2017, "SGDR", equation 5). */
	cosine: (step, steps) => (1 + Math.cos((Math.PI * step) / steps)) / 2,
	/** A tenth after half and again after three quarters of the run (He et al. 2016, section 4.2, give the same places in steps). */
	'multi-step': (step, steps) => (step < steps / 2 ? 1 : step < (steps * 3) / 4 ? 0.1 : 0.01),
	'one-cycle': oneCycle,
}

/** Share of the run in which the rate rises, and what it rises from and ends at: the defaults of PyTorch's `OneCycleLR`. */
const RISE = 0.3
const START = 1 / 25
const END = START / 1e4

/** Up from 1/25 along half a cosine, then down to nothing (Smith & Topin 2018, "Super-Convergence"; cosine annealing as in PyTorch). */
function oneCycle(step: number, steps: number): number {
	const top = RISE * steps - 1
	if (step <= top) return between(START, 1, step / top)
	return between(1, END, (step - top) / (steps - 1 - top))
}

function between(from: number, to: number, share: number): number {
	return to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2
}

export function scheduleOf(name: ScheduleName): Schedule {
	return SCHEDULE_OF[name]
}
