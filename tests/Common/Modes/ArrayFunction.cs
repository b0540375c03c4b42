namespace Fusion.Tests;

/// <summary>A function of arrays, in whichever way it is executed.</summary>
internal delegate NDArray[] ArrayFunction(NDArray[] inputs);
