namespace Fusion.Tests;

/// <summary>Tests of kernels on devices come one after the other: they share the devices, and count what is compiled and launched.</summary>
[CollectionDefinition(nameof(OneDevice))]
public sealed class OneDevice;
