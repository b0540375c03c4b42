namespace Fusion.Kernels;

/// <summary>A kernel could not be compiled. What it computes is nothing new: its operators have loops that were compiled ahead of time.</summary>
internal sealed class KernelFailedException(string reason, Exception? inner = null) : Exception(reason, inner);
