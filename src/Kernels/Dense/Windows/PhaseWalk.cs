namespace Fusion.Kernels;

/// <summary>
/// The phases of a transposed convolution: the inputs i with i mod stride = phase meet the same taps, at unit steps, so that no multiplication with an inserted
/// zero is ever done.
/// </summary>
internal unsafe struct PhaseWalk(in WindowShape shape)
{
    private readonly WindowShape _shape = shape;
    private Triple _phase;
    private Triple _firstTap;
    private Triple _tapStep;
    private Triple _taps;
    private bool _started;

    /// <summary>The next phase, if there is one: its patches of the output's gradient and the grid of inputs (with its phase) that receive them.</summary>
    public bool Next(out PatchMap map, out (Triple Grid, Triple Phase) target)
    {
        (map, target) = (default, default);
        if (_shape.InputSize == 0 || (_started && !Advance())) return false;
        _started = true;
        var z = PatchAxis.Backward(_shape, 0, _phase[0], out var firstZ, out var stepZ);
        var y = PatchAxis.Backward(_shape, 1, _phase[1], out var firstY, out var stepY);
        var x = PatchAxis.Backward(_shape, 2, _phase[2], out var firstX, out var stepX);
        (_firstTap[0], _firstTap[1], _firstTap[2]) = (firstZ, firstY, firstX);
        (_tapStep[0], _tapStep[1], _tapStep[2]) = (stepZ, stepY, stepX);
        (_taps[0], _taps[1], _taps[2]) = (z.Taps, y.Taps, x.Taps);
        map = new PatchMap(z, y, x);
        (target.Grid[0], target.Grid[1], target.Grid[2]) = (z.Grid, y.Grid, x.Grid);
        target.Phase = _phase;
        return true;
    }

    /// <summary>Writes the numbers of the taps that meet this phase.</summary>
    public readonly void WriteTapNumbers(nint* numbers)
    {
        for (var z = 0; z < _taps[0]; z++)
        {
            for (var y = 0; y < _taps[1]; y++)
            {
                var row = ((nint)(_firstTap[0] + z * _tapStep[0]) * _shape.Kernel[1] + _firstTap[1] + y * _tapStep[1]) * _shape.Kernel[2];
                for (var x = 0; x < _taps[2]; x++) *numbers++ = row + _firstTap[2] + x * _tapStep[2];
            }
        }
    }

    /// <summary>Writes the filters of this phase, of the taps with these numbers, as [group, in channel, (out channel, tap)].</summary>
    public readonly void TurnFilters<T>(T* filters, nint* numbers, T* turned)
        where T : unmanaged
    {
        nint taps = (nint)_shape.Taps, channels = _shape.InChannels, count = (nint)_taps.Product;
        for (nint g = 0; g < _shape.Groups; g++)
        {
            for (nint c = 0; c < channels; c++)
            {
                for (nint o = 0; o < _shape.OutChannels; o++)
                {
                    T* filter = filters + ((g * _shape.OutChannels + o) * channels + c) * taps;
                    for (nint t = 0; t < count; t++) *turned++ = filter[numbers[t]];
                }
            }
        }
    }

    private bool Advance()
    {
        for (var axis = 2; axis >= 0; axis--)
        {
            if (++_phase[axis] < Math.Min(_shape.Stride[axis], _shape.Input[axis])) return true;
            _phase[axis] = 0;
        }

        return false;
    }
}
