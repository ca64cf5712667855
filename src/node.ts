/** The public library in Node: everything of `goodnet`, and what needs a file system or the native runtime. */

// Files
export { openImages as loadImages } from './data/open.ts'
// Runs
export { sweepRecord } from './defense/prune/record.ts'
export { type FinishedRepair, type RepairSets, repairRecord } from './defense/repair/record.ts'
// The embedded example
export { demoImages, demoNetPath } from './demo/demo.ts'
export * from './index.ts'
export { type LoadModelOptions, loadModel } from './model/load.ts'
export { saveModel } from './model/save.ts'
export { writeRepairFolder } from './report/repair-folder.ts'
export type { ReportedFolderOptions as RepairFolderOptions } from './report/reported-folder.ts'
export { type RunFolderOptions, writeRunFolder } from './report/run-folder.ts'
// Running
export { bestRuntime, type NodeRuntimeOptions, nodeRuntime } from './runtime/node.ts'
export { openScratch, type Scratch } from './scratch.ts'
