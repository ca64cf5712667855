/** The rankings by name. */
import type { RankName } from '../../../contracts/prune-run.ts'
import { apoz } from './apoz.ts'
import { bnp } from './bnp.ts'
import { clp } from './clp.ts'
import { l1 } from './l1.ts'
import { max } from './max.ts'
import { mean } from './mean.ts'
import { random } from './random.ts'
import type { Ranking } from './ranking.ts'

export const RANKINGS: Readonly<Record<RankName, Ranking>> = { mean, max, apoz, l1, clp, bnp, random }
