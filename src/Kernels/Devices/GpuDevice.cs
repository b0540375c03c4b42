using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>What drives a device.</summary>
internal enum GpuBackend
{
    Cuda,
    OpenCL,

    /// <summary>ILGPU's interpreter of GPU programs on the processor, for tests.</summary>
    Debug,
}

/// <summary>
/// One accelerator: its stream, on which everything runs in order, its memory and its compiled kernels. Launches are queued; only reading waits.
/// </summary>
/// <remarks>
/// All calls into the driver are made under <see cref="Lock"/>, with the accelerator bound to the calling thread. A block that is given back may be
/// rented again at once, since whatever still uses it stands earlier in the only stream.
/// </remarks>
internal sealed class GpuDevice
{
    /// <summary>Kernels of each kind that are kept, or up to twice as many, those that were asked for last: some ten to a hundred KB each.</summary>
    public const int MaxKernels = 1024;

    private readonly RecentCache<object, object> _kernels = new(MaxKernels);
    private readonly HostTransfers? _transfers;
    private (string Message, Exception Cause)? _failure;

    public GpuDevice(Accelerator accelerator, GpuBackend backend, string name)
    {
        (Accelerator, Backend, Name) = (accelerator, backend, name);
        Stream = accelerator.CreateStream();
        Pool = new DevicePool(this);
        if (backend == GpuBackend.Cuda) _transfers = new HostTransfers(this);
    }

    public string Name { get; }

    public GpuBackend Backend { get; }

    public Accelerator Accelerator { get; }

    public AcceleratorStream Stream { get; }

    public DevicePool Pool { get; }

    public Lock Lock { get; } = new();

    /// <summary>Who stands for this device above the kernels.</summary>
    public object? Owner { get; set; }

    /// <summary>Kernels launched so far.</summary>
    public long LaunchCount { get; set; }

    /// <summary>Waits for everything queued.</summary>
    public void Synchronize()
    {
        using (Enter()) Stream.Synchronize();
    }

    /// <summary>Nobody can use the device any more.</summary>
    public void Fail(string message, Exception cause)
    {
        lock (Lock) _failure ??= (message, cause);
    }

    /// <summary>The right to talk to the driver, until it is disposed of.</summary>
    /// <exception cref="DeviceException">The device has failed.</exception>
    public Entry Enter()
    {
        Lock.Enter();
        try
        {
            if (_failure is { } failure) throw new DeviceException(failure.Message, failure.Cause);
            Accelerator.Bind();
        }
        catch
        {
            Lock.Exit();
            throw;
        }

        return new Entry(this);
    }

    /// <summary>
    /// The loaded kernel of a static method, from the cache or loaded now; <paramref name="load"/> is one of ILGPU's <c>LoadKernel</c> calls on the accelerator.
    /// </summary>
    /// <param name="key">A method, or a description that is compared by value.</param>
    /// <param name="load">Loads it.</param>
    public TLauncher Kernel<TLauncher>(object key, Func<Accelerator, TLauncher> load) where TLauncher : class
    {
        if (_kernels.TryGet(key, out object? known)) return (TLauncher)known;
        using (Enter()) return (TLauncher)_kernels.GetOrAdd(key, _ => load(Accelerator));
    }

    /// <summary>Copies bytes to the device. They have been read when this returns.</summary>
    public void Upload(ReadOnlySpan<byte> source, DeviceBlock target, long offset)
    {
        if (source.IsEmpty) return;
        using (Enter())
        {
            ArrayView<byte> to = target.View<byte>(offset, source.Length);
            if (_transfers is null) to.CopyFromCPU(Stream, source);
            else _transfers.Upload(source, to);
        }
    }

    /// <summary>Copies bytes from the device, when what writes them has finished.</summary>
    public void Download(DeviceBlock source, long offset, Span<byte> target)
    {
        if (target.IsEmpty) return;
        using (Enter())
        {
            ArrayView<byte> from = source.View<byte>(offset, target.Length);
            if (_transfers is not null)
            {
                _transfers.Download(from, target);
                return;
            }

            from.CopyToCPU(Stream, target);
            Stream.Synchronize();
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>A passage with the device's lock held.</summary>
    public readonly ref struct Entry(GpuDevice device)
    {
        public void Dispose() => device.Lock.Exit();
    }
}
