namespace Fusion;

/// <summary>A place where arrays live and operators run.</summary>
public sealed class Device
{
    private Device(string name) => Name = name;

    /// <summary>The processor.</summary>
    public static Device Cpu { get; } = new("cpu");

    /// <summary>The name, <c>cpu</c>.</summary>
    public string Name { get; }

    /// <summary>Waits until everything queued on the device has finished; on the CPU operators have finished when they return.</summary>
    public void Synchronize() => GC.KeepAlive(this);

    /// <inheritdoc/>
    public override string ToString() => Name;
}
