namespace Fusion.Gpu;

/// <summary>Something that is timed.</summary>
/// <param name="Name">The same in the peer's file.</param>
/// <param name="Bytes">What has to cross the memory bus; 0: not what limits it.</param>
/// <param name="Flops">Arithmetic operations of a matrix product; 0: not what limits it.</param>
/// <param name="Prepare">Makes what is timed; it queues work and returns.</param>
internal sealed record SpeedCase(string Name, double Bytes, double Flops, Func<Device, Action> Prepare);
